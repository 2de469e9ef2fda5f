using EdgeFirmware.Mqtt.Topics;

namespace EdgeFirmware.Mqtt.SensorNet;

/// <summary>
/// The topic ids between the gateway and one sensor (MQTT-SN 1.2 section 6.5). Ids begin anywhere, so that one from before the gateway or the
/// sensor started anew is an id of nothing rather than of another topic.
/// </summary>
/// <param name="max">Registered topics at once.</param>
/// <param name="first">The first id to be given.</param>
internal sealed class SensorTopics(PredefinedTopics predefined, int max, ushort first)
{
    /// <summary>0 and 0xFFFF are reserved (section 5.3.11).</summary>
    private const ushort IdMax = 0xFFFE;

    private readonly Dictionary<ushort, RegisteredTopic> _byId = [];
    private readonly Dictionary<string, ushort> _ids = new(StringComparer.Ordinal);
    private ushort _next = Math.Clamp(first, (ushort)1, IdMax);

    public int Count => _byId.Count;

    /// <summary>Null when the id stands for nothing.</summary>
    public string? NameOf(TopicIdType type, ushort id) => type switch
    {
        TopicIdType.Normal => _byId.GetValueOrDefault(id)?.Name,
        TopicIdType.Predefined => predefined.NameOf(id),
        _ => SensorCodec.ShortName(id) is { } name && TopicName.IsValid(name) ? name : null,
    };

    /// <summary>The id of a topic name, given now if it had none; null when there are too many.</summary>
    public ushort? Register(string name, bool isKnown)
    {
        if (_ids.TryGetValue(name, out var id))
        {
            if (isKnown) _byId[id].IsKnown = true;
            return id;
        }

        if (_byId.Count >= max) return null;
        while (_byId.ContainsKey(_next)) Step();
        id = _next;
        Step();
        _byId.Add(id, new RegisteredTopic(name) { IsKnown = isKnown });
        _ids.Add(name, id);
        return id;
    }

    /// <summary>How a message on this topic is addressed; null when there are too many topics.</summary>
    public SensorTopic? Address(string name)
    {
        if (predefined.TryGetId(name, out var id)) return new SensorTopic(TopicIdType.Predefined, id, isKnown: true);
        if (SensorCodec.ShortId(name) is { } shortId) return new SensorTopic(TopicIdType.Short, shortId, isKnown: true);
        return Register(name, isKnown: false) is { } given ? new SensorTopic(TopicIdType.Normal, given, _byId[given].IsKnown) : null;
    }

    /// <summary>The sensor has, or has not, the id of a registered topic.</summary>
    public void Know(ushort id, bool isKnown)
    {
        if (_byId.TryGetValue(id, out var topic)) topic.IsKnown = isKnown;
    }

    /// <summary>The sensor may have started anew: it is told each id again before it gets a message with it.</summary>
    public void Doubt()
    {
        foreach (var topic in _byId.Values) topic.IsKnown = false;
    }

    private void Step() => _next = _next == IdMax ? (ushort)1 : (ushort)(_next + 1);

    private sealed class RegisteredTopic(string name)
    {
        public string Name => name;

        public bool IsKnown { get; set; }
    }
}
