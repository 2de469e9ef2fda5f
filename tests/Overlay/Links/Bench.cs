using System.Net;
using System.Net.Sockets;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Overlay.Links;

namespace EdgeFirmware.Overlay.Tests.Links;

/// <summary>A core of links, a clock that the test owns, and a network that answers probes as the test says.</summary>
internal sealed class Bench
{
    public static readonly IPEndPoint Target = new(IPAddress.Parse("203.0.113.1"), 443);
    public static readonly IPEndPoint OtherTarget = new(IPAddress.Parse("198.51.100.1"), 443);

    private readonly PriorityQueue<(int Id, ProbeAnswer Answer), Instant> _underWay = new();
    private readonly List<KernelLink> _links = [];

    public Bench(params IPEndPoint[] targets) => Core = new LinksCore(new LinksOptions { Targets = targets });

    public Bench(LinksOptions options) => Core = new LinksCore(options);

    public LinksCore Core { get; }

    public Instant Now { get; private set; } = new(1_000_000);

    /// <summary>What happens to a probe.</summary>
    public Func<ProbeRequest, ProbeAnswer> Network { get; set; } = _ => Accepted();

    public List<(Instant At, ProbeRequest Request)> Asked { get; } = [];

    public List<(Instant At, NodeEvent Event)> Events { get; } = [];

    public int UnderWay => _underWay.Count;

    public static KernelLink Wan(LinkKind kind = LinkKind.Ethernet, int index = 2, string name = "wan0") => new(
        name, index, kind, IsVirtual: false, IsUp: true, HasCarrier: true, [new LinkAddress(IPAddress.Parse("10.0.0.2"), 24, AddressScope.Global)],
        [new DefaultRoute(AddressFamily.InterNetwork, IPAddress.Parse("10.0.0.1"), 100)]);

    public static ProbeAnswer Accepted(double milliseconds = 20) => new(ProbeOutcome.Accepted, TimeSpan.FromMilliseconds(milliseconds));

    public static ProbeAnswer Refused() => new(ProbeOutcome.Refused, TimeSpan.FromMilliseconds(1));

    public static ProbeAnswer Silent(bool othersHeard = false) => new(ProbeOutcome.Silent, null, othersHeard);

    public static ProbeAnswer Neighbour() => new(ProbeOutcome.NeighbourOnly);

    /// <summary>The Internet answers as the first says, the gateway as the second.</summary>
    public static Func<ProbeRequest, ProbeAnswer> Answers(Func<ProbeAnswer> internet, Func<ProbeAnswer> gateway) =>
        request => request.IsGateway ? gateway() : internet();

    /// <summary>Adds the link, or replaces the one with its index.</summary>
    public void Kernel(KernelLink link)
    {
        _links.RemoveAll(known => known.Index == link.Index);
        _links.Add(link);
        Picture();
    }

    public void Remove(int index)
    {
        _links.RemoveAll(known => known.Index == index);
        Picture();
    }

    public void Run(double seconds)
    {
        var end = Now + TimeSpan.FromSeconds(seconds);
        while (true)
        {
            Drain();
            var next = Instant.Min(Core.NextWakeup, _underWay.TryPeek(out _, out var at) ? at : Instant.Never);
            if (next > end)
                break;
            Now = next > Now ? next : Now;
            while (_underWay.TryPeek(out var arrived, out at) && at <= Now)
            {
                _underWay.Dequeue();
                Core.Answer(arrived.Id, arrived.Answer, Now);
            }
        }
        Now = end;
        Drain();
    }

    /// <summary>How long until it is so, in seconds; at most <paramref name="atMost"/>.</summary>
    public double Until(Func<LinkView, bool> isSo, double atMost = 60)
    {
        var started = Now;
        while (Core.Views() is not [var view, ..] || !isSo(view))
        {
            Assert.True((Now - started).TotalSeconds < atMost, $"not within {atMost} s: {Core.Views()[0].Why}");
            Run(0.01);
        }
        return (Now - started).TotalSeconds;
    }

    public LinkView View => Assert.Single(Core.Views());

    /// <summary>Kinds of events so far, with where reach went.</summary>
    public IEnumerable<string> Told => Events.Select(one => one.Event.Details is { } details ? $"{one.Event.Kind} {details["to"]}" : one.Event.Kind);

    private void Picture() => Core.KernelIs([.. _links.OrderBy(link => link.Index)], Now);

    private void Drain()
    {
        Core.Advance(Now);
        while (Core.Outbox.TryDequeue(out var request))
        {
            Asked.Add((Now, request));
            var answer = Network(request);
            _underWay.Enqueue((request.Id, answer), Now + (answer.RoundTrip is { } trip && trip < request.Patience ? trip : answer.Outcome == ProbeOutcome.NotSent ? TimeSpan.Zero : request.Patience));
        }
        while (Core.Events.TryDequeue(out var happened))
            Events.Add((Now, happened));
    }
}
