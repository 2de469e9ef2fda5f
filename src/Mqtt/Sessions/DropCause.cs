namespace EdgeFirmware.Mqtt.Sessions;

/// <summary>Why a message was not delivered.</summary>
internal enum DropCause
{
    None,

    /// <summary>The queue had no room for it, or room was made by dropping it.</summary>
    QueueFull,

    /// <summary>It waited longer than the queue's limit.</summary>
    TooOld,

    /// <summary>Its publisher's expiry passed.</summary>
    Expired,

    /// <summary>The receiver takes no packet that large.</summary>
    TooLarge,

    /// <summary>The receiver answered with a failure.</summary>
    Refused,

    /// <summary>The receiver is away and the message is of QoS 0.</summary>
    Away,
}
