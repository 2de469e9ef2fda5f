namespace EdgeFirmware.Mqtt;

/// <summary>Which retained messages a SUBSCRIBE asks for (MQTT 5 section 3.8.3.1).</summary>
public enum RetainHandling
{
    SendAlways = 0,
    SendIfNewSubscription = 1,
    DoNotSend = 2,
}
