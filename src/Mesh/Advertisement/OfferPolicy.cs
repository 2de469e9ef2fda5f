using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;

namespace EdgeFirmware.Mesh.Advertisement;

/// <summary>Decides when an offer is worth the radio. What changes a placement at once (level, overload, engine, labels, draining) is said at
/// once; a figure when it has moved far and stays there; all that within a budget of bytes, a token bucket. What has not changed is said again
/// before the others forget it. Pure: takes the instant.</summary>
public sealed class OfferPolicy
{
    /// <summary>Of the whole; less would hardly change where anything is placed.</summary>
    private const double FarShare = 0.2;

    /// <summary>Figures leave so many offers' worth in the bucket for what cannot wait.</summary>
    private const int OffersForFigures = 2;

    /// <summary>Nodes that started together shall not repeat together.</summary>
    private const double Jitter = 0.05;

    private readonly OfferBudget _budget;
    private readonly Random _random;
    private Offer? _said;
    private int _nodes = 1;
    private Instant _repeatAt;
    private Instant? _farSince;
    private double _tokens;
    private Instant _filled;

    public OfferPolicy(OfferBudget budget, Random random, Instant now)
    {
        _budget = budget;
        _random = random;
        _tokens = budget.BurstBytes;
        _filled = now;
    }

    /// <summary>Nodes of the site, this one included: where there are more than the budget is for, each says less.</summary>
    public int Nodes
    {
        get => _nodes;
        set => _nodes = Math.Max(1, value);
    }

    /// <summary>How long an offer that is sent now holds.</summary>
    public TimeSpan Validity => Shorter(_budget.Validity * Stretch, Offer.ValidityMax);

    private double Stretch => Math.Max(1, Nodes / (double)OfferBudget.NodesOfASite);

    /// <summary>Asked at every measurement. Yes counts as sent.</summary>
    /// <param name="bytes">What it takes on the wire, signed.</param>
    public bool IsWorthSending(Offer offer, int bytes, Instant now)
    {
        Fill(now);
        if (!IsDue(offer, bytes, now))
            return false;
        _said = offer;
        _farSince = null;
        _tokens = Math.Max(0, _tokens - bytes);
        _repeatAt = now + (Shorter(_budget.Repeat * Stretch, Validity / 2.2) * (1 - Jitter + (2 * Jitter * _random.NextDouble())));
        return true;
    }

    /// <summary>For a wire format that is not known here: fixed fields, signature, texts.</summary>
    public static int EstimateBytes(Offer offer)
    {
        var bytes = 136 + offer.Why.Length + offer.Architecture.Length + offer.Engine.Length;
        foreach (var label in offer.Labels)
            bytes += label.Length + 1;
        return bytes;
    }

    private bool IsDue(Offer offer, int bytes, Instant now)
    {
        if (_said is null || now >= _repeatAt)
            return true;
        if (IsUrgent(_said, offer))
            return Affords(bytes);
        if (!IsFar(_said, offer))
        {
            _farSince = null;
            return false;
        }
        _farSince ??= now;
        return now - _farSince.Value >= _budget.Lasting && Affords(bytes * OffersForFigures);
    }

    private bool Affords(int bytes) => _tokens >= Math.Min(bytes, _budget.BurstBytes);

    private void Fill(Instant now)
    {
        _tokens = Math.Min(_budget.BurstBytes, _tokens + (_budget.BytesPerSecond / Stretch * (now - _filled).TotalSeconds));
        _filled = now;
    }

    private static TimeSpan Shorter(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static bool IsUrgent(Offer said, Offer now) =>
        said.Level != now.Level || said.Overloaded != now.Overloaded || said.Draining != now.Draining || said.Engine != now.Engine
        || said.CanCheckpoint != now.CanCheckpoint || !AreSame(said.Labels, now.Labels);

    private static bool IsFar(Offer said, Offer now) =>
        said.Links != now.Links
        || Math.Abs(said.CpuFreeCores - now.CpuFreeCores) >= FarShare * now.CpuCores
        || Math.Abs(said.MemoryFreeBytes - now.MemoryFreeBytes) >= FarShare * now.MemoryBytes
        || Math.Abs(said.DiskFreeBytes - now.DiskFreeBytes) >= FarShare * Math.Max(said.DiskFreeBytes, now.DiskFreeBytes)
        || IsFar(said.Outlook, now.Outlook, now);

    /// <summary>Whether and roughly when something runs out counts: a moment twice as far off, or half, is another.</summary>
    private static bool IsFar(Outlook said, Outlook now, Offer whole) =>
        Math.Abs(said.Failure - now.Failure) >= FarShare
        || Math.Abs(said.CpuCoresLess - now.CpuCoresLess) >= FarShare * whole.CpuCores
        || Math.Abs(said.MemoryBytesLess - now.MemoryBytesLess) >= FarShare * whole.MemoryBytes
        || said.Exhaustion.HasValue != now.Exhaustion.HasValue
        || (said.Exhaustion is { } a && now.Exhaustion is { } b && (a > 2 * b || b > 2 * a));

    private static bool AreSame(IReadOnlyList<string> a, IReadOnlyList<string> b)
    {
        if (a.Count != b.Count)
            return false;
        for (var i = 0; i < a.Count; i++)
            if (a[i] != b[i])
                return false;
        return true;
    }
}
