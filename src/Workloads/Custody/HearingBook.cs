using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;

namespace EdgeFirmware.Workloads.Custody;

/// <summary>Where the inputs of workloads are heard: what this node hears itself, and what others send to copies that run here. A message counts
/// half after <see cref="HalfLife"/>: a sensor that is carried to another node is believed to be there before long. Thread safe.</summary>
internal sealed class HearingBook(TimeProvider time)
{
    public static readonly TimeSpan HalfLife = TimeSpan.FromMinutes(5);

    /// <summary>Of one workload; more are not told apart.</summary>
    private const int NodesMax = 64;

    /// <summary>Less than this much of a message is nothing.</summary>
    private const double CountMin = 0.05;

    private readonly Lock _gate = new();
    private readonly Dictionary<WorkloadId, Dictionary<NodeId, Count>> _counts = [];
    private long _aged = time.GetTimestamp();

    private sealed class Count
    {
        public double Messages { get; set; }
    }

    public void Heard(WorkloadId workload, NodeId node)
    {
        lock (_gate)
        {
            if (!_counts.TryGetValue(workload, out var nodes))
                _counts[workload] = nodes = [];
            if (nodes.TryGetValue(node, out var count))
                count.Messages++;
            else if (nodes.Count < NodesMax)
                nodes[node] = new Count { Messages = 1 };
        }
    }

    public IReadOnlyList<InputSource> Read()
    {
        var sources = new List<InputSource>();
        lock (_gate)
        {
            Age();
            foreach (var (workload, nodes) in _counts)
            {
                double sum = 0;
                foreach (var count in nodes.Values)
                    sum += count.Messages;
                foreach (var (node, count) in nodes)
                    sources.Add(new InputSource(workload, node, count.Messages / sum));
            }
        }
        return sources;
    }

    private void Age()
    {
        var now = time.GetTimestamp();
        var share = Math.Pow(0.5, time.GetElapsedTime(_aged, now) / HalfLife);
        _aged = now;
        foreach (var (workload, nodes) in _counts) // removing while enumerating is allowed since .NET Core 3.0
        {
            foreach (var (node, count) in nodes)
                if ((count.Messages *= share) < CountMin)
                    nodes.Remove(node);
            if (nodes.Count == 0)
                _counts.Remove(workload);
        }
    }
}
