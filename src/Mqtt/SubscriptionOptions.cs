namespace EdgeFirmware.Mqtt;

/// <summary>The options byte of one filter in a SUBSCRIBE (MQTT 5 section 3.8.3.1). The default is QoS 0 with everything off.</summary>
/// <param name="MaximumQoS">Messages are delivered with the lower of this and the QoS they were published with.</param>
/// <param name="NoLocal">Do not send the client its own messages.</param>
/// <param name="RetainAsPublished">Keep the publisher's retain flag on forwarded messages (bridges need it).</param>
/// <param name="RetainHandling">When to send the retained messages that match.</param>
public readonly record struct SubscriptionOptions(
    QoS MaximumQoS,
    bool NoLocal = false,
    bool RetainAsPublished = false,
    RetainHandling RetainHandling = RetainHandling.SendAlways);
