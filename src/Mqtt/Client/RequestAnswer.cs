namespace EdgeFirmware.Mqtt.Client;

/// <summary>How a request ended.</summary>
/// <param name="Reason">Success with a response; otherwise why the broker did not pass the request on.</param>
public sealed record RequestAnswer(ReasonCode Reason, MqttMessage? Response)
{
    /// <summary>Nobody subscribes to the request's topic.</summary>
    public bool NobodyListens => Reason == ReasonCode.NoMatchingSubscribers;
}
