using EdgeFirmware.Mqtt.Topics;

namespace EdgeFirmware.Mqtt.Bridge;

/// <summary>
/// Topics that go over a bridge, in mosquitto's terms: here they are <paramref name="LocalPrefix"/> and what <paramref name="Filter"/> covers, on the
/// other side <paramref name="RemotePrefix"/> and the same. Where several cover a topic the first counts.
/// </summary>
/// <param name="Filter">May be empty when both prefixes are whole topics.</param>
/// <param name="QoS">Messages go with the lower of this and the QoS they were published with.</param>
/// <param name="Priority">While a backlog drains the highest goes first; order is kept among equals.</param>
public sealed record BridgeTopic(
    string Filter,
    BridgeDirection Direction = BridgeDirection.Both,
    QoS QoS = QoS.AtLeastOnce,
    string LocalPrefix = "",
    string RemotePrefix = "",
    int Priority = 0)
{
    public string LocalFilter => LocalPrefix + Filter;

    public string RemoteFilter => RemotePrefix + Filter;

    public bool IsIn => (Direction & BridgeDirection.In) != 0;

    public bool IsOut => (Direction & BridgeDirection.Out) != 0;

    /// <summary>What is wrong with it; null: nothing.</summary>
    public string? Fault
    {
        get
        {
            if (LocalPrefix.AsSpan().ContainsAny('+', '#')) return $"'{LocalPrefix}': no wildcard may be in a prefix";
            if (RemotePrefix.AsSpan().ContainsAny('+', '#')) return $"'{RemotePrefix}': no wildcard may be in a prefix";
            if (!TopicName.IsValidFilter(LocalFilter)) return $"'{LocalFilter}' is no topic filter";
            if (!TopicName.IsValidFilter(RemoteFilter)) return $"'{RemoteFilter}' is no topic filter";
            return Direction is 0 or > BridgeDirection.Both ? "the direction is In, Out or Both" : null;
        }
    }
}
