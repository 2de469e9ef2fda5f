using System.Diagnostics;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Mesh.Site;
using EdgeFirmware.Mesh.Tests.Site;

namespace EdgeFirmware.Firmware.Tests.Site;

/// <summary>Who may speak with whom, as real certificates, real TLS and real clocks that are wrong decide it.</summary>
public sealed class ConversationsOfASiteTests : IAsyncLifetime
{
    private const long Year = 365 * TestSite.Day;
    private static readonly NodeId One = TestSite.Node(1);
    private static readonly NodeId Two = TestSite.Node(2);
    private static readonly NodeId Three = TestSite.Node(3);

    private readonly CancellationTokenSource _limit = new(TimeSpan.FromSeconds(30));
    private readonly TestSite _site = new();
    private readonly List<LiveSiteNode> _nodes = [];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var node in _nodes)
            await node.DisposeAsync();
        _site.Dispose();
        _limit.Dispose();
    }

    [Fact]
    public async Task Who_says_that_it_is_another_than_its_certificate_is_refused_by_either_side()
    {
        var honest = Start(1);
        var liar = Start(2, claims: Three);
        liar.Meet(honest);
        honest.Meet(liar);
        await Assert.ThrowsAsync<PeerException>(() => EchoAsync(liar, One));
        await LiveSiteNode.UntilAsync(() => honest.Log.Any(line => line.Contains($"it says that it is {Three} and shows the certificate of {Two}", StringComparison.Ordinal)), "refused with the reason");
        var error = await Assert.ThrowsAsync<PeerException>(() => EchoAsync(honest, Three));
        Assert.Contains($"it says that it is {Three} and shows the certificate of {Two}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task When_the_nodes_agree_on_the_time_one_whose_certificate_has_expired_may_only_renew_it_and_then_everything()
    {
        var (one, two) = await PairThatKnowsTheTimeAsync(TestSite.Today + Year + 30 * TestSite.Day);
        var late = Start(3, clock: 0); // out of a drawer, and without a battery
        late.Meet(one, two);
        await LiveSiteNode.UntilAsync(() => late.Events.Any(happened => happened.Kind == "renewed"), "renewed");
        Assert.True(await EchoAsync(late, Two));

        var shown = await ShownAsync(two, late);
        Assert.True(shown.NotAfter > TestSite.Today + Year + Year, SiteViewOf(shown));
        Assert.Equal(late.Identity.View.Own.Fingerprint, shown.Fingerprint);
    }

    [Fact]
    public async Task When_the_nodes_agree_on_the_time_an_expired_certificate_opens_no_other_conversation()
    {
        var (one, _) = await PairThatKnowsTheTimeAsync(TestSite.Today + Year + 30 * TestSite.Day);
        // Its loop meets nobody, so that it does not renew.
        var late = Start(3);
        await using (var site = await late.Network.OpenAsync(One, one.Address, ConversationKind.Site, _limit.Token))
            Assert.Equal(One, site.Peer);
        foreach (var kind in (ConversationKind[])[ConversationKind.Control, ConversationKind.Transfer, ConversationKind.Custody, ConversationKind.Gossip])
            await Assert.ThrowsAsync<PeerException>(() => EchoAsync(late, one, kind));
        await LiveSiteNode.UntilAsync(() => one.Log.Any(line => line.Contains("and it may only renew it", StringComparison.Ordinal)), "refused with the reason");
        var error = await Assert.ThrowsAsync<PeerException>(() => EchoAsync(one, late, ConversationKind.Control));
        Assert.Contains("has expired at 2027-11-21", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_that_begins_in_the_future_is_good_also_where_the_nodes_agree_on_the_time()
    {
        var (one, _) = await PairThatKnowsTheTimeAsync(TestSite.Today);
        var early = Start(3, issuedAt: TestSite.Today + 30 * TestSite.Day);
        Assert.True(await EchoAsync(early, one, ConversationKind.Control));
        Assert.True(await EchoAsync(one, early, ConversationKind.Control));
    }

    [Theory]
    [InlineData(0L)] // 1970
    [InlineData(TestSite.Today + 20 * Year)]
    public async Task Without_agreement_on_the_time_no_date_stops_a_conversation(long clock)
    {
        var one = Start(1, clock: clock); // nobody renews
        var expired = Start(2, issuedAt: TestSite.Today - 10 * Year, clock: 0);
        var early = Start(3, issuedAt: TestSite.Today + 10 * Year, clock: 0);
        one.Meet(expired, early);
        foreach (var other in (LiveSiteNode[])[expired, early])
        {
            other.Meet(one);
            Assert.True(await EchoAsync(other, One));
            Assert.True(await EchoAsync(one, other.Self));
        }
        Assert.False(one.Identity.View.Now.IsKnown);
    }

    [Fact]
    public async Task A_live_conversation_ends_everywhere_when_a_node_is_revoked_and_it_opens_no_other()
    {
        var one = Start(1, issues: true);
        var two = Start(2);
        var lost = Start(3);
        two.Meet(one);
        lost.Meet(one);
        await LiveSiteNode.UntilAsync(() => one.Identity.View.Members.Count == 3, "all certificates known");
        one.Meet(two, lost);
        two.Meet(one, lost);
        lost.Meet(one, two);
        await using var inward = await lost.Network.OpenAsync(Two, ConversationKind.Control, _limit.Token);
        await using var outward = await two.Network.OpenAsync(Three, ConversationKind.Custody, _limit.Token);
        await using var unconcerned = await one.Network.OpenAsync(Two, ConversationKind.Control, _limit.Token);
        Assert.True(await EchoAsync(inward) && await EchoAsync(outward) && await EchoAsync(unconcerned));

        var watch = Stopwatch.StartNew();
        Assert.Equal("", await one.Loop.RevokeAsync(Three.Value));
        await EndAsync(inward);
        await EndAsync(outward);
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(5));
        Assert.True(await EchoAsync(unconcerned));
        await Assert.ThrowsAsync<PeerException>(() => EchoAsync(lost, Two));
        var error = await Assert.ThrowsAsync<PeerException>(() => EchoAsync(two, Three));
        Assert.Contains($"the certificate of {Three} is revoked", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Nodes 1, which holds the authority, and 2.</summary>
    private async Task<(LiveSiteNode One, LiveSiteNode Two)> PairThatKnowsTheTimeAsync(long now)
    {
        var one = Start(1, issues: true, issuedAt: now, clock: now);
        var two = Start(2, issuedAt: now, clock: now);
        one.Meet(two);
        two.Meet(one);
        await LiveSiteNode.UntilAsync(() => one.Identity.View.Now.IsKnown && two.Identity.View.Now.IsKnown, "the time is known");
        return (one, two);
    }

    private LiveSiteNode Start(int number, bool issues = false, long issuedAt = TestSite.Today, long clock = TestSite.Today, NodeId? claims = null)
    {
        var node = new LiveSiteNode(_site, _site.Start(TestSite.Node(number), issues, issuedAt), clock, claims);
        _nodes.Add(node);
        return node;
    }

    /// <summary>Opens a conversation with a member and has one frame answered.</summary>
    private async Task<bool> EchoAsync(LiveSiteNode from, NodeId to)
    {
        await using var conversation = await from.Network.OpenAsync(to, ConversationKind.Control, _limit.Token);
        return await EchoAsync(conversation);
    }

    private async Task<bool> EchoAsync(LiveSiteNode from, LiveSiteNode to, ConversationKind kind)
    {
        await using var conversation = await from.Network.OpenAsync(to.Self, to.Address, kind, _limit.Token);
        return await EchoAsync(conversation);
    }

    private async Task<bool> EchoAsync(IPeerConversation conversation)
    {
        await conversation.SendAsync(7, new byte[] { 1, 2, 3 }, _limit.Token);
        return await conversation.ReceiveAsync(_limit.Token) is { Type: 7, Body.Length: 3 };
    }

    private async Task EndAsync(IPeerConversation conversation)
    {
        try
        {
            Assert.Null(await conversation.ReceiveAsync(_limit.Token));
        }
        catch (PeerException)
        {
            // cut off, which is an end too
        }
    }

    private async Task<Certificate> ShownAsync(LiveSiteNode to, LiveSiteNode by)
    {
        await using var conversation = await to.Network.OpenAsync(by.Self, by.Address, ConversationKind.Control, _limit.Token);
        return Certificate.Read(conversation.PeerCertificate)!;
    }

    private static string SiteViewOf(Certificate certificate) => $"good until {DateTimeOffset.FromUnixTimeMilliseconds(certificate.NotAfter):u}";
}
