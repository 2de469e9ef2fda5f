using EdgeFirmware.Mqtt.Topics;

namespace EdgeFirmware.Mqtt.Bridge;

/// <summary>What a topic is called on the other side of a bridge, and how urgent it is. Pure.</summary>
internal sealed class TopicMap
{
    private readonly BridgeTopic[] _out;
    private readonly BridgeTopic[] _in;
    private readonly int[] _priorities;

    public TopicMap(IReadOnlyList<BridgeTopic> topics)
    {
        _out = [.. topics.Where(topic => topic.IsOut)];
        _in = [.. topics.Where(topic => topic.IsIn)];
        _priorities = [.. _out.Select(topic => topic.Priority).Distinct().OrderDescending()];
    }

    public IReadOnlyList<BridgeTopic> Out => _out;

    public IReadOnlyList<BridgeTopic> In => _in;

    /// <summary>How many different priorities there are, at least one.</summary>
    public int Lanes => Math.Max(1, _priorities.Length);

    /// <summary>Null: it does not go out.</summary>
    public string? ToRemote(string topic) =>
        First(_out, topic, isLocal: true) is { } rule ? string.Concat(rule.RemotePrefix, topic.AsSpan(rule.LocalPrefix.Length)) : null;

    /// <summary>Null: it does not come in.</summary>
    public string? ToLocal(string topic) =>
        First(_in, topic, isLocal: false) is { } rule ? string.Concat(rule.LocalPrefix, topic.AsSpan(rule.RemotePrefix.Length)) : null;

    /// <summary>0 for the most urgent.</summary>
    public int LaneOf(string localTopic) =>
        First(_out, localTopic, isLocal: true) is { } rule ? Array.IndexOf(_priorities, rule.Priority) : Lanes - 1;

    public int PriorityOf(string localTopic) => First(_out, localTopic, isLocal: true)?.Priority ?? 0;

    private static BridgeTopic? First(BridgeTopic[] rules, string topic, bool isLocal)
    {
        foreach (var rule in rules)
        {
            if (TopicName.Matches(isLocal ? rule.LocalFilter : rule.RemoteFilter, topic)) return rule;
        }

        return null;
    }
}
