using EdgeFirmware.Contracts;

namespace EdgeFirmware.Mesh.Forecast;

/// <summary>Which workloads end again and again. At most 32 are watched; the quietest makes room.</summary>
internal sealed class RestartLoops
{
    private const int Watched = 32;
    private const double HalfLifeSeconds = 600;

    private readonly WorkloadId[] _ids = new WorkloadId[Watched];
    private readonly DecayingCount[] _counts = new DecayingCount[Watched];

    public RestartLoops() => Array.Fill(_counts, new DecayingCount(HalfLifeSeconds));

    public void Ended(WorkloadId id, double at)
    {
        var place = 0;
        for (var i = 0; i < Watched; i++)
        {
            if (_ids[i] == id)
            {
                place = i;
                break;
            }
            if (_counts[i].At(at) < _counts[place].At(at))
                place = i;
        }
        if (_ids[place] != id)
            (_ids[place], _counts[place]) = (id, new DecayingCount(HalfLifeSeconds));
        _counts[place].Add(1, at);
    }

    /// <returns>Workloads that ended at least <paramref name="times"/> times of late, and the most that one did.</returns>
    public (int Looping, double Most) Look(double times, double at)
    {
        var (looping, most) = (0, 0.0);
        foreach (var count in _counts)
        {
            looping += count.At(at) >= times ? 1 : 0;
            most = Math.Max(most, count.At(at));
        }
        return (looping, most);
    }
}
