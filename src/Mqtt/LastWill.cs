namespace EdgeFirmware.Mqtt;

/// <summary>What the broker publishes for a client that vanished (MQTT 5 section 3.1.2.5).</summary>
/// <param name="Message">The message, with its own QoS and retain flag.</param>
/// <param name="DelaySeconds">How long after the loss; a reconnect within it cancels the will. Always 0 for MQTT 3.1.1.</param>
public sealed record LastWill(MqttMessage Message, uint DelaySeconds = 0);
