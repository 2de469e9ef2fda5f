namespace EdgeFirmware.Mqtt.SensorNet;

/// <summary>How a message is addressed.</summary>
/// <param name="isKnown">The sensor knows what the id stands for.</param>
internal sealed class SensorTopic(TopicIdType type, ushort id, bool isKnown)
{
    public TopicIdType Type => type;

    public ushort Id => id;

    public bool IsKnown => isKnown;
}
