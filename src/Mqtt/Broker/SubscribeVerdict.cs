namespace EdgeFirmware.Mqtt.Broker;

/// <summary>Who serves a subscription.</summary>
public enum SubscribeVerdict
{
    Normal,

    /// <summary>Granted, but the tap delivers its messages with <see cref="MqttBroker.Deliver"/>; the broker routes none to it.</summary>
    Elsewhere,
}
