namespace EdgeFirmware.Mqtt.Broker;

/// <summary>A bound of <see cref="BrokerLimits"/>. <see cref="BrokerStatistics.Hits"/> says how often it was met, which means what is said here.</summary>
public enum BrokerLimit
{
    /// <summary>A connection was closed on accept.</summary>
    Connections,

    /// <summary>A connection was closed before its CONNECT, because too many others came after it.</summary>
    Handshakes,

    /// <summary>A connection was closed because its CONNECT did not come in time.</summary>
    ConnectTimeout,

    /// <summary>A connection was closed because of a CONNECT or AUTH that was too large.</summary>
    ConnectPacketBytes,

    /// <summary>A CONNECT was refused with 0x85.</summary>
    ClientId,

    /// <summary>A CONNECT was refused with 0x97.</summary>
    Sessions,

    /// <summary>A connection was ended with 0x95.</summary>
    PacketBytes,

    /// <summary>A topic or filter had too many characters or levels: 0x90 or 0x8F.</summary>
    Topic,

    /// <summary>A connection was ended with 0x94.</summary>
    TopicAlias,

    /// <summary>A connection was ended with 0x93.</summary>
    Receive,

    /// <summary>A filter was refused with 0x97, because its client has too many.</summary>
    Subscriptions,

    /// <summary>A filter was refused with 0x97, because all clients together have too many.</summary>
    SubscriptionBytes,

    /// <summary>A message was dropped, because too much waits in its session or in all of them.</summary>
    Queue,

    /// <summary>A message of QoS 0 was dropped, because its receiver does not read what it is owed.</summary>
    OutboundBytes,

    /// <summary>There was no memory for what somebody sent: a message or a CONNECT was refused with 0x97, or a connection ended with it.</summary>
    HeldBytes,

    /// <summary>A message was refused with 0x97, or dropped, because too many are retained.</summary>
    Retained,

    /// <summary>Something that would have had to be kept was refused with 0x97, because the disk is full.</summary>
    Disk,

    /// <summary>A connection was cut off before its client had taken the last bytes.</summary>
    CloseTimeout,

    /// <summary>A sensor's CONNECT was refused as congestion, because there are sessions enough of sensors.</summary>
    Sensors,

    /// <summary>A datagram of somebody who is not connected was dropped, because more came than are answered.</summary>
    SensorRate,
}
