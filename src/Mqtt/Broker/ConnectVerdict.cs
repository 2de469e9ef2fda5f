namespace EdgeFirmware.Mqtt.Broker;

/// <summary>Accepted as somebody, or refused for a reason.</summary>
public readonly record struct ConnectVerdict
{
    /// <summary>Null when refused.</summary>
    public Principal? Principal { get; private init; }

    /// <summary>Goes into the CONNACK.</summary>
    public ReasonCode Reason { get; private init; }

    /// <summary>Said to a version 5 client besides the reason; null for nothing.</summary>
    public string? ReasonText { get; private init; }

    /// <summary>Where the client is sent with <see cref="ReasonCode.UseAnotherServer"/> or <see cref="ReasonCode.ServerMoved"/>.</summary>
    public string? ServerReference { get; private init; }

    public static ConnectVerdict Accept(Principal principal) => new() { Principal = principal };

    /// <param name="reason">A failure, usually <see cref="ReasonCode.BadUserNameOrPassword"/> or <see cref="ReasonCode.NotAuthorized"/>.</param>
    /// <param name="reasonText">An explanation for a person; it must not say which of name and password was wrong.</param>
    public static ConnectVerdict Refuse(ReasonCode reason, string? reasonText = null) => new() { Reason = reason, ReasonText = reasonText };

    /// <summary>Sends the client elsewhere (MQTT 5 section 4.11); a 3.1.1 client hears "server unavailable".</summary>
    /// <param name="serverReference">Hosts, each with a port where it is not the usual one, separated by spaces.</param>
    /// <param name="forGood">The client should no longer try this broker.</param>
    public static ConnectVerdict Redirect(string serverReference, bool forGood = false) => new()
    {
        Reason = forGood ? ReasonCode.ServerMoved : ReasonCode.UseAnotherServer,
        ServerReference = serverReference,
    };
}
