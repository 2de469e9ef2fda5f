using EdgeFirmware.Contracts.Mesh;

namespace EdgeFirmware.Mesh.Membership;

/// <summary>When a changed offer is worth gossip.</summary>
internal static class OfferPolicy
{
    /// <summary>Small changes wait this long; a change of level, engine or overload goes out at once.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    public static bool IsWorthSending(Offer? said, Offer now, TimeSpan sinceSaid, TimeSpan repeat)
    {
        if (said is null || said.Level != now.Level || said.Overloaded != now.Overloaded || said.Engine != now.Engine)
            return true;
        if (sinceSaid >= repeat)
            return true;
        return sinceSaid >= Patience && IsFarFrom(said, now);
    }

    /// <summary>A tenth of the whole: less would not change where anything is placed.</summary>
    private static bool IsFarFrom(Offer said, Offer now) =>
        Math.Abs(said.CpuFreeCores - now.CpuFreeCores) > 0.1 * Math.Max(now.CpuCores, 0.1)
        || Math.Abs(said.MemoryFreeBytes - now.MemoryFreeBytes) > now.MemoryBytes / 10
        || Math.Abs(said.DiskFreeBytes - now.DiskFreeBytes) > Math.Max(said.DiskFreeBytes, now.DiskFreeBytes) / 10;
}
