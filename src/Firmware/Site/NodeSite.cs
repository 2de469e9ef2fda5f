using System.Net;
using System.Security.Cryptography;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Firmware.Logging;
using EdgeFirmware.Firmware.Operations;
using EdgeFirmware.Mesh.Shell;
using EdgeFirmware.Mesh.Site;
using EdgeFirmware.Mesh.Wire;

namespace EdgeFirmware.Firmware.Site;

/// <summary>The site's part of a node that has a certificate: its identity, and the loop that keeps it in step with the others.</summary>
internal sealed class NodeSite : IDisposable
{
    private readonly SiteHome _home;
    private readonly SiteStart _start;
    private readonly SiteCore _core;
    private readonly TimeProvider _time;
    private SiteLoop? _loop;

    private NodeSite(SiteHome home, SiteStart start, ECDsa key, TimeProvider time)
    {
        _home = home;
        _start = start;
        _time = time;
        var now = Instant.Now(time);
        _core = new SiteCore(start, new Random(), now);
        Identity = new SiteIdentity(key, _core.View(now), time);
        Tls = new SiteTls(Identity);
    }

    public SiteIdentity Identity { get; }

    public SiteTls Tls { get; }

    /// <exception cref="StorageException">The directory is missing something, or others may read its secrets.</exception>
    public static async Task<NodeSite> OpenAsync(string directory, NodeId self, IReadOnlyList<IPEndPoint> seeds, TimeProvider time)
    {
        var home = SiteHome.Hold(directory);
        try
        {
            var (start, key) = await home.LoadAsync(self, seeds, time.GetUtcNow().ToUnixTimeMilliseconds());
            return new NodeSite(home, start, key, time);
        }
        catch (StorageException)
        {
            home.Dispose();
            throw;
        }
    }

    public DatagramSeal NewSeal() => new(_start.Keys.Keys, _start.Keys.Newest.Number);

    /// <summary>Joins it to the rest of the node; called once, before anything runs.</summary>
    public void Attach(MeshNode mesh, GossipPort gossip, ISitePeers peers, Action<NodeEvent> events, JournalLog journal)
    {
        var loop = _loop = new SiteLoop(_core, Identity, _home.Files, peers, events, _time, journal.For("site"));
        gossip.Strange = loop.StrangeDatagram;
        mesh.Changed += snapshot => loop.MembersAre(snapshot.Members);
        loop.TrustChanged = Tls.JudgeAgain;
        loop.KeysChanged = (keys, sendWith) => _ = mesh.UseGossipKeysAsync(keys, sendWith).AsTask();
    }

    public Task RunAsync(CancellationToken cancel) => _loop!.RunAsync(cancel);

    public Task ServeAsync(IPeerConversation conversation, CancellationToken cancel) =>
        conversation.Kind == ConversationKind.Site ? _loop!.ServeAsync(conversation, cancel) : _loop!.ServeEnrolmentAsync(conversation, cancel);

    /// <exception cref="OperationRefusedException">With what is wrong.</exception>
    public async Task<TokenView> CreateTokenAsync(int minutes)
    {
        var token = await _loop!.CreateTokenAsync(SiteViews.TokenValidity(minutes))
            ?? throw new OperationRefusedException(409, $"this node does not hold the site's authority, or {TokenBook.TokensMax} tokens wait already");
        return SiteViews.Of(token);
    }

    /// <inheritdoc cref="CreateTokenAsync"/>
    public async Task<SiteStateView> RevokeAsync(string node) => Refuse(await _loop!.RevokeAsync(node));

    /// <inheritdoc cref="CreateTokenAsync"/>
    public async Task<SiteStateView> ChangeKeyAsync() => Refuse(await _loop!.ChangeKeyAsync());

    public SiteStateView State() => SiteViews.Of(Identity.View);

    public void Dispose()
    {
        _loop?.Dispose();
        Identity.Dispose();
        _start.Issuer?.Dispose();
        _home.Dispose();
    }

    private SiteStateView Refuse(string fault) => fault.Length == 0 ? State() : throw new OperationRefusedException(409, fault);
}
