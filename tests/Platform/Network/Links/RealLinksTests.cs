using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Platform.Network.Links;

namespace EdgeFirmware.Platform.Tests.Network.Links;

/// <summary>Against this machine's kernel. Changes are tested in namespaces of their own by tests/shell/links.sh.</summary>
public sealed class RealLinksTests
{
    private static readonly KernelLink Loopback = new(
        "lo", 1, LinkKind.Other, false, true, true, [new LinkAddress(IPAddress.Loopback, 8, AddressScope.Link)], []);

    private readonly CancellationToken _limit = new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token;

    [Fact]
    public async Task The_first_picture_shows_what_the_machine_has()
    {
        await foreach (var picture in new KernelLinkWatch(TimeProvider.System).WatchAsync(_limit))
        {
            Assert.DoesNotContain(picture, link => link.Name == "lo");
            foreach (var link in Lasting(picture))
            {
                var known = NetworkInterface.GetAllNetworkInterfaces().Single(one => one.Name == link.Name);
                var addresses = known.GetIPProperties().UnicastAddresses.Select(one => one.Address.ToString()).ToHashSet();
                Assert.All(link.Addresses, address => Assert.Contains(address.Address.ToString(), addresses));
            }
            return;
        }
        Assert.Fail("no picture");
    }

    [Fact]
    public async Task Many_watch_at_once()
    {
        var watches = Enumerable.Range(0, 8).Select(async _ =>
        {
            await foreach (var picture in new KernelLinkWatch(TimeProvider.System).WatchAsync(_limit))
                return Lasting(picture).ToArray();
            return [];
        });
        var pictures = await Task.WhenAll(watches);
        Assert.All(pictures, picture => Assert.Equal(pictures[0], picture));
    }

    [Fact]
    public async Task Who_listens_accepts_and_who_does_not_refuses()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var target = (IPEndPoint)listener.LocalEndPoint!;
        var prober = new BoundProber(TimeProvider.System);
        var refused = await prober.ProbeAsync(Loopback, target, isGateway: false, TimeSpan.FromSeconds(5), _limit);
        Assert.Equal(ProbeOutcome.Refused, refused.Outcome);
        Assert.NotNull(refused.RoundTrip);
        listener.Listen();
        var accepted = await prober.ProbeAsync(Loopback, target, isGateway: false, TimeSpan.FromSeconds(5), _limit);
        Assert.Equal(ProbeOutcome.Accepted, accepted.Outcome);
        Assert.InRange(accepted.RoundTrip!.Value, TimeSpan.Zero, TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task An_interface_that_has_gone_is_not_asked_over_another_one() =>
        Assert.Equal(ProbeOutcome.NotSent, (await new BoundProber(TimeProvider.System).ProbeAsync(
            Loopback with { Name = "gone0" }, new IPEndPoint(IPAddress.Loopback, 1), false, TimeSpan.FromSeconds(5), _limit)).Outcome);

    [Fact]
    public async Task A_silent_gateway_has_its_neighbours_asked_about()
    {
        // TEST-NET-1 (RFC 5737) over loopback: nobody answers, and loopback knows no neighbours.
        var answer = await new BoundProber(TimeProvider.System).ProbeAsync(
            Loopback, new IPEndPoint(IPAddress.Parse("192.0.2.1"), 53), isGateway: true, TimeSpan.FromMilliseconds(50), _limit);
        Assert.Equal(new ProbeAnswer(ProbeOutcome.Silent), answer);
    }

    /// <summary>Engines under test make and remove virtual ones at the same time.</summary>
    private static IEnumerable<KernelLink> Lasting(IEnumerable<KernelLink> picture) => picture.Where(link => !link.IsVirtual);
}
