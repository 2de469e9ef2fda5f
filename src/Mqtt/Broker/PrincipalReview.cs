namespace EdgeFirmware.Mqtt.Broker;

/// <summary>What became of a client after the access rules changed.</summary>
public readonly record struct PrincipalReview
{
    /// <summary>It may not connect any more; its session waits until it may, or expires.</summary>
    public static readonly PrincipalReview Disconnect;

    /// <summary>It may not connect any more, and nothing is kept for it.</summary>
    public static readonly PrincipalReview End = new() { SessionEnds = true };

    /// <summary>Who the client is from now on; null when it may not be connected.</summary>
    public Principal? Principal { get; private init; }

    public bool SessionEnds { get; private init; }

    /// <param name="principal">The same one when nothing changed for it.</param>
    public static PrincipalReview Keep(Principal principal) => new() { Principal = principal };
}
