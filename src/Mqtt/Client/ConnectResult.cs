namespace EdgeFirmware.Mqtt.Client;

/// <summary>The broker's CONNACK.</summary>
/// <param name="ClientId">Given or assigned.</param>
/// <param name="ReasonText">The broker's explanation, if it gave one.</param>
public sealed record ConnectResult(ReasonCode Reason, bool SessionPresent, string ClientId, string? ReasonText)
{
    /// <summary>Where to connect instead, with <see cref="ReasonCode.UseAnotherServer"/> and <see cref="ReasonCode.ServerMoved"/>.</summary>
    public string? ServerReference { get; init; }

    /// <summary>Where to have answers sent, if it was asked for and the broker says so.</summary>
    public string? ResponseInformation { get; init; }

    public bool IsAccepted => !Reason.IsFailure();
}
