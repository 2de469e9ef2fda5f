using EdgeFirmware.Mqtt.Broker;

namespace EdgeFirmware.Mqtt.Sessions;

/// <summary>How the queue of a bridge differs from that of a client. Called under the broker's lock.</summary>
internal interface IQueuePolicy
{
    /// <summary>How many lanes there are; what waits in a lower one goes first.</summary>
    int Lanes { get; }

    /// <summary>QoS 0 waits for an absent receiver too, in memory, and is the first to be dropped for want of room.</summary>
    bool KeepsQoS0 { get; }

    /// <summary>A message that waited longer is dropped; zero: none.</summary>
    TimeSpan AgeMax { get; }

    /// <summary>False: it must not go there, which is no loss.</summary>
    bool Wants(MqttMessage message);

    int LaneOf(MqttMessage message);

    /// <summary>The message has left the queue for good.</summary>
    void Ended(OutboundMessage message, DeliveryOutcome outcome, DropCause cause);
}
