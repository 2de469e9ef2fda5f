namespace EdgeFirmware.Mqtt.SensorNet;

/// <summary>Topic ids that gateway and sensors know beforehand, both ways round.</summary>
internal sealed class PredefinedTopics
{
    private readonly Dictionary<ushort, string> _names = [];
    private readonly Dictionary<string, ushort> _ids = new(StringComparer.Ordinal);

    public PredefinedTopics(IReadOnlyList<PredefinedTopic> topics)
    {
        foreach (var topic in topics)
        {
            _names[topic.Id] = topic.Name;
            _ids.TryAdd(topic.Name, topic.Id);
        }
    }

    public string? NameOf(ushort id) => _names.GetValueOrDefault(id);

    public bool TryGetId(string name, out ushort id) => _ids.TryGetValue(name, out id);
}
