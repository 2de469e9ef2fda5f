namespace EdgeFirmware.Mqtt.SensorNet;

/// <summary>A topic that sensors name by an id they were made with.</summary>
/// <param name="id">From 1 to 65534.</param>
public sealed class PredefinedTopic(ushort id, string name)
{
    public ushort Id => id;

    public string Name => name;
}
