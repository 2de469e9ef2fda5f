using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Contracts.Resources;

namespace EdgeFirmware.Firmware.Operations;

/// <summary>An offer as it is retained at <c>edge/v1/NODE/offer</c>. Nothing in it changes while the offer does not.</summary>
/// <param name="ValidSeconds">How long it holds after it was heard.</param>
internal sealed record OfferView(
    string Id, string Name, long Version, int Level, string LevelWhy, double CpuCores, double CpuFreeCores, long MemoryBytes, long MemoryFreeBytes,
    long DiskFreeBytes, string Architecture, int PageBytes, string Engine, bool CanCheckpoint, bool Overloaded, bool Draining, string[] Links,
    string[] Labels, OutlookView Outlook, double ValidSeconds)
{
    public static OfferView Of(NodeId node, Offer offer) => new(
        node.Value, node.Name, offer.Version, (int)offer.Level, offer.Why, Math.Round(offer.CpuCores, 3), Math.Round(offer.CpuFreeCores, 3), offer.MemoryBytes,
        offer.MemoryFreeBytes, offer.DiskFreeBytes, offer.Architecture, offer.PageBytes, offer.Engine, offer.CanCheckpoint, offer.Overloaded,
        offer.Draining, Words(offer.Links), [.. offer.Labels], OutlookView.Of(offer.Outlook), offer.Validity.TotalSeconds);

    public static string[] Words(LinkKinds links)
    {
        var words = new List<string>();
        Add(LinkKinds.Wired, "wired");
        Add(LinkKinds.Wireless, "wireless");
        Add(LinkKinds.Wan, "wan");
        Add(LinkKinds.LowPan, "6lowpan");
        Add(LinkKinds.Bluetooth, "bluetooth");
        return [.. words];

        void Add(LinkKinds kind, string word)
        {
            if ((links & kind) != 0)
                words.Add(word);
        }
    }
}

/// <param name="CpuCoresLess">Cores that will be free less than now, <paramref name="HorizonSeconds"/> from when it was said.</param>
/// <param name="ExhaustionSeconds">Until the first of CPU, memory or disk runs out; absent when none does.</param>
/// <param name="Failure">Likelihood that the node fails soon, 0-1.</param>
internal sealed record OutlookView(double CpuCoresLess, long MemoryBytesLess, double? ExhaustionSeconds, double Failure, double HorizonSeconds)
{
    public static OutlookView Of(Outlook outlook) => new(
        Math.Round(outlook.CpuCoresLess, 3), outlook.MemoryBytesLess, outlook.Exhaustion?.TotalSeconds, Math.Round(outlook.Failure, 3), Contracts.Mesh.Outlook.Horizon.TotalSeconds);

    /// <summary>In a few words; a hyphen when all stays as it is.</summary>
    public string Summary()
    {
        var parts = new List<string>();
        if (ExhaustionSeconds is { } left)
            parts.Add(left < 120 ? $"full in {left:0} s" : $"full in {left / 60:0} min");
        if (CpuCoresLess >= 0.05)
            parts.Add($"-{CpuCoresLess:0.0} cores");
        if (MemoryBytesLess >= 1 << 20)
            parts.Add($"-{MemoryBytesLess >> 20} MiB");
        return parts.Count == 0 ? "-" : string.Join(", ", parts);
    }
}

/// <summary>Absent: the machine does not tell.</summary>
/// <param name="StorageErrors">Of the device since boot and of its filesystem since it was checked.</param>
/// <param name="StorageWriteMs">Mean of the last writes; absent when there was none.</param>
/// <param name="ClockSteps">Times the wall clock was set since the firmware started.</param>
internal sealed record HealthView(
    double? Celsius, double? CriticalCelsius, bool UnderVoltage, double? StorageLifeUsed, long StorageErrors, bool StorageReadOnly, double? StorageWriteMs,
    long StorageBytesWritten, long OomKills, long ClockSteps)
{
    public static HealthView Of(HealthReading health) => new(
        health.Celsius, health.CriticalCelsius, health.UnderVoltage, health.StorageLifeUsed, health.StorageErrors, health.StorageReadOnly,
        health.StorageMilliseconds is { } mean ? Math.Round(mean, 2) : null, health.StorageBytesWritten, health.OomKills, health.ClockSteps);

    /// <summary>What is worth knowing, the troubles first.</summary>
    public string Summary()
    {
        var parts = new List<string>();
        Add(UnderVoltage, "supply voltage too low");
        Add(StorageReadOnly, "the disk takes no writes");
        Add(StorageErrors > 0, $"{StorageErrors} storage errors");
        Add(OomKills > 0, $"{OomKills} processes killed for want of memory");
        Add(ClockSteps > 0, $"clock set {ClockSteps} times");
        Add(Celsius is not null, $"{Celsius:0.#} °C{(CriticalCelsius is { } critical ? $" of {critical:0}" : "")}");
        Add(StorageLifeUsed is not null, $"{StorageLifeUsed * 100:0} % of the card's life used");
        Add(StorageBytesWritten > 0, $"{StorageBytesWritten >> 20} MiB written since boot");
        return parts.Count == 0 ? "the machine tells nothing" : string.Join(", ", parts);

        void Add(bool isWorthIt, string words)
        {
            if (isWorthIt)
                parts.Add(words);
        }
    }
}
