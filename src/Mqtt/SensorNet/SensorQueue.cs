using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Sessions;

namespace EdgeFirmware.Mqtt.SensorNet;

/// <summary>What waits for a sensor: of any QoS while it sleeps or is busy with another message, and of QoS 1 and 2 while it is away.</summary>
internal sealed class SensorQueue : IQueuePolicy
{
    public static readonly SensorQueue Instance = new();

    public int Lanes => 1;

    public bool KeepsQoS0 => false;

    public TimeSpan AgeMax => TimeSpan.Zero;

    public bool Wants(MqttMessage message) => true;

    public int LaneOf(MqttMessage message) => 0;

    public void Ended(OutboundMessage message, DeliveryOutcome outcome, DropCause cause)
    {
    }
}
