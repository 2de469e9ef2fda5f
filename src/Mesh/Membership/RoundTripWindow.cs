namespace EdgeFirmware.Mesh.Membership;

/// <summary>Round trip to a member: the smallest of its last <see cref="Samples"/> probes.</summary>
/// <remarks>A probe's time is the path's plus what both ends took to get a processor. The smallest is nearest to the path, as in BBR's
/// windowed minimum (Cardwell et al. 2016); how busy an end is, is what its offer tells. A mean would let a node that is overloaded, and so
/// measures badly, choose by its own delays.</remarks>
internal sealed class RoundTripWindow
{
    /// <summary>So many rounds of probes until a path that became longer is believed.</summary>
    public const int Samples = 8;

    private readonly TimeSpan[] _samples = new TimeSpan[Samples];
    private int _count;

    /// <summary><c>null</c> before the first answer.</summary>
    public TimeSpan? Smallest { get; private set; }

    public void Add(TimeSpan roundTrip)
    {
        _samples[_count++ % Samples] = roundTrip;
        var smallest = roundTrip;
        foreach (var sample in _samples.AsSpan(0, Math.Min(_count, Samples)))
            smallest = sample < smallest ? sample : smallest;
        Smallest = smallest;
    }
}
