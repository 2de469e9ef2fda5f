namespace EdgeFirmware.Mqtt.Broker;

/// <summary>How the delivery of one message to one client ended.</summary>
public enum DeliveryOutcome
{
    /// <summary>PUBACK or PUBCOMP arrived; for QoS 0 the message was handed to the connection.</summary>
    Acknowledged,

    /// <summary>The client answered with a failure reason.</summary>
    Refused,

    /// <summary>A limit was reached, the message expired, the client cannot take one that large, or QoS 0 met an absent client.</summary>
    Dropped,

    /// <summary>The session ended before the client acknowledged: clean start, expiry or broker stop.</summary>
    SessionEnded,

    /// <summary>There is no session under that client id.</summary>
    NoSession,
}
