using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;

namespace EdgeFirmware.Mesh.Placement;

/// <summary>The papers' <c>T</c>: the time a message takes from where it is heard to a node, through its broker, and its result back.
/// Milliseconds.</summary>
/// <param name="Mean">Over the sources, by their share of the messages.</param>
/// <param name="Worst">From the farthest source: what a bound holds for.</param>
public readonly record struct Latency(double Mean, double Worst)
{
    /// <summary>Handling a message in the node itself, before the network: measured median of a broker hop.</summary>
    public const double LocalMilliseconds = 0.5;

    /// <summary>Round trip assumed of a member that has not answered a probe yet.</summary>
    public const double UnknownRoundTripMilliseconds = 50;

    /// <summary>A source of less than this share does not decide about a bound: a few stray messages.</summary>
    private const double ShareMin = 0.02;

    public static Latency Of(double milliseconds) => new(milliseconds, milliseconds);

    /// <summary>What one node knows of the way between two others is only its own way to either. The way between them is at least the difference
    /// and at most the sum (triangle inequality); the middle of these bounds is the longer one.</summary>
    /// <param name="roundTrip">From this node to another, milliseconds; 0 to itself.</param>
    /// <param name="fromHere">What to assume when no source is known, milliseconds.</param>
    public static Latency From(IReadOnlyList<InputSource> sources, NodeId candidate, Func<NodeId, double> roundTrip, double fromHere)
    {
        double mean = 0, share = 0, worst = 0;
        for (var i = 0; i < sources.Count; i++)
        {
            var source = sources[i];
            var way = source.Node == candidate ? 0 : Math.Max(roundTrip(source.Node), roundTrip(candidate));
            mean += source.Share * way;
            share += source.Share;
            if (source.Share >= ShareMin)
                worst = Math.Max(worst, way);
        }
        return share > 0 ? new Latency(LocalMilliseconds + (mean / share), LocalMilliseconds + worst) : Of(LocalMilliseconds + fromHere);
    }
}
