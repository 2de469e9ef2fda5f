namespace EdgeFirmware.Mqtt.Client;

/// <summary>What a client does with a message for which its queue has no room.</summary>
public enum FullQueue
{
    /// <summary>Answers with <see cref="ReasonCode.QuotaExceeded"/>.</summary>
    Refuse,

    /// <summary>Lets the publisher wait, those who came first first.</summary>
    Wait,
}
