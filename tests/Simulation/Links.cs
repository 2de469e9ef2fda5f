using EdgeFirmware.Contracts;

namespace EdgeFirmware.Simulation;

/// <summary>The network between nodes: latency, loss, duplication, reordering, cuts (one way or both) and partitions.</summary>
public sealed class Links(Random random)
{
    private readonly HashSet<(NodeId, NodeId)> _cut = [];
    private readonly Dictionary<NodeId, int> _side = [];

    public TimeSpan LatencyMin { get; set; } = TimeSpan.FromMilliseconds(1);

    public TimeSpan LatencyMax { get; set; } = TimeSpan.FromMilliseconds(10);

    /// <summary>Share of messages, 0-1.</summary>
    public double Loss { get; set; }

    public double Duplication { get; set; }

    /// <summary>Share of messages that others overtake, by up to <see cref="DetourMax"/>.</summary>
    public double Reordering { get; set; }

    public TimeSpan DetourMax { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>From the one to the other; the way back may be cut.</summary>
    public bool IsOpen(NodeId from, NodeId to) =>
        _side.GetValueOrDefault(from) == _side.GetValueOrDefault(to) && !_cut.Contains((from, to));

    public bool IsOpenBothWays(NodeId a, NodeId b) => IsOpen(a, b) && IsOpen(b, a);

    /// <summary>What one says does not reach the other, who is heard all the same.</summary>
    public void CutOneWay(NodeId from, NodeId to) => _cut.Add((from, to));

    public void Cut(NodeId a, NodeId b)
    {
        _cut.Add((a, b));
        _cut.Add((b, a));
    }

    public void Mend(NodeId a, NodeId b)
    {
        _cut.Remove((a, b));
        _cut.Remove((b, a));
    }

    /// <summary>Nodes that are not named stay together on a side of their own.</summary>
    public void Partition(IEnumerable<NodeId> side)
    {
        foreach (var node in side)
            _side[node] = 1;
    }

    public void Heal()
    {
        _side.Clear();
        _cut.Clear();
    }

    /// <summary>After what delays one message arrives: never, once or twice.</summary>
    public IEnumerable<TimeSpan> Arrivals(NodeId from, NodeId to)
    {
        if (!IsOpen(from, to) || random.NextDouble() < Loss)
            yield break;
        yield return Reordering > 0 && random.NextDouble() < Reordering ? DetourMax * random.NextDouble() : Latency();
        if (random.NextDouble() < Duplication)
            yield return Latency() * (1 + (20 * random.NextDouble()));
    }

    public TimeSpan Latency() => LatencyMin + ((LatencyMax - LatencyMin) * random.NextDouble());
}
