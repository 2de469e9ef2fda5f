namespace EdgeFirmware.Mqtt.Bridge;

/// <summary>Brings the messages of a bridge to the other broker by a way of the host's own, which gives them to a <see cref="BridgeIntake"/> there.</summary>
public interface IBridgeCarrier
{
    /// <summary>Where it leads, for people.</summary>
    string Address { get; }

    /// <summary>The other broker's name, which is on messages that come from there; null: not known yet.</summary>
    string? RemoteName { get; }

    /// <summary>Why the other broker is not reached now; null: it is, or nothing is known to the contrary.</summary>
    string? Trouble { get; }

    /// <summary>A conversation with the other broker, once it is known who that is. It need not be reached: what is posted waits.</summary>
    Task<IBridgeConversation> OpenAsync(CancellationToken cancel);
}
