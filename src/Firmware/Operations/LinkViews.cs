using System.Net;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Firmware.Configuration;
using EdgeFirmware.Overlay.Links;

namespace EdgeFirmware.Firmware.Operations;

/// <summary>The node's links and how far they lead.</summary>
/// <param name="Targets">Who is asked on the Internet; none: it is judged by the gateways.</param>
/// <param name="Trouble">Why the links are not seen; absent when they are.</param>
internal sealed record LinkListView(string[] Targets, string? Trouble, LinkStateView[] Links);

/// <param name="Kind"><c>ethernet</c>, <c>wifi</c>, <c>cellular</c>, <c>6lowpan</c> or <c>other</c>.</param>
/// <param name="Carrier">It is switched on and the other end is there.</param>
/// <param name="Addresses">With the length of the prefix.</param>
/// <param name="Gateways">Of the default routes, the preferred one first.</param>
/// <param name="Reach"><c>internet</c>, <c>site</c> or <c>none</c>.</param>
/// <param name="Proven">By an answer; otherwise it is assumed.</param>
/// <param name="RoundTripMs">Smoothed; absent before the first answer.</param>
/// <param name="Loss">Share of the last 64 probes that were not answered, 0-1.</param>
/// <param name="Cost">Relative, of a byte; 0: none.</param>
internal sealed record LinkStateView(
    string Name, int Index, string Kind, bool Carrier, string[] Addresses, string[] Gateways, string Reach, string Why, bool Proven, double? RoundTripMs,
    double? RoundTripVariationMs, double? Loss, int Cost, int Milliwatts, double SinceSeconds, long Probes, long Changes)
{
    public static LinkStateView Of(LinkView link, Instant now)
    {
        var kernel = link.Kernel;
        var addresses = new string[kernel.Addresses.Count];
        for (var i = 0; i < addresses.Length; i++)
            addresses[i] = $"{kernel.Addresses[i].Address}/{kernel.Addresses[i].PrefixBits}";
        var gateways = new List<string>();
        foreach (var route in kernel.Routes)
            if (route.Gateway?.ToString() is { } gateway && !gateways.Contains(gateway))
                gateways.Add(gateway);
        return new LinkStateView(
            kernel.Name, kernel.Index, LinkWords.Of(kernel.Kind), kernel is { IsUp: true, HasCarrier: true }, addresses, [.. gateways], Word(link.Reach), link.Why, link.IsProven,
            Milliseconds(link.RoundTrip), Milliseconds(link.RoundTripVariation), link.Loss is { } loss ? Math.Round(loss, 3) : null, link.Traits.Cost,
            link.Traits.Milliwatts, Math.Round((now - link.Since).TotalSeconds, 1), link.Probes, link.Changes);
    }

    private static double? Milliseconds(TimeSpan? span) => span is { } known ? Math.Round(known.TotalMilliseconds, 3) : null;

    private static string Word(Reachability reach) => reach switch
    {
        Reachability.Internet => "internet",
        Reachability.Site => "site",
        _ => "none",
    };
}

/// <summary>What a person can ask about links.</summary>
internal sealed class LinkDesk(LinkLoop links, LinksOptions options, TimeProvider time)
{
    public LinkListView List()
    {
        var snapshot = links.Snapshot;
        var now = Instant.Now(time);
        var views = new LinkStateView[snapshot.Count];
        for (var i = 0; i < views.Length; i++)
            views[i] = LinkStateView.Of(snapshot[i], now);
        return new LinkListView([.. Words(options.Targets)], links.Trouble is { Length: > 0 } trouble ? trouble : null, views);
    }

    private static List<string> Words(IReadOnlyList<IPEndPoint> targets)
    {
        var words = new List<string>();
        foreach (var target in targets)
            words.Add(target.ToString());
        return words;
    }
}
