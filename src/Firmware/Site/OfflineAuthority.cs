using System.Net;
using System.Security.Cryptography;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Firmware.Operations;
using EdgeFirmware.Firmware.Running;
using EdgeFirmware.Mesh.Site;
using EdgeFirmware.Platform.Peers;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeFirmware.Firmware.Site;

/// <summary>The authority's directory in the hands of a person, at a desk or on a node that does not run.</summary>
internal sealed class OfflineAuthority : IDisposable
{
    /// <summary>Who the desk is to the nodes it brings news to.</summary>
    private static readonly NodeId Desk = NodeId.Parse("desk/02:00:00:00:00:00");

    private readonly SiteHome _home;
    private readonly SiteAuthority _authority;
    private readonly long _now;
    private readonly MemberDirectory _members = new();
    private readonly TokenBook _tokens;
    private RevocationList _revocations;
    private GossipKeys _keys;

    private OfflineAuthority(SiteHome home, SiteAuthority authority, long now)
    {
        _home = home;
        _authority = authority;
        _now = Math.Max(now, authority.Certificate.NotBefore);
        (_revocations, _keys) = home.ReadDocuments(authority.Certificate);
        _tokens = home.ReadTokens();
        _members.Load(home.ReadOrNothing(SiteFile.Members), authority.Certificate, _revocations);
        _members.Apply(_revocations);
        if (home.Files.HasNodeKey)
            _members.Add(home.Files.ReadNodeCertificate(), _revocations);
    }

    /// <summary>Makes a site.</summary>
    /// <exception cref="StorageException">The directory cannot be written, or has a site already.</exception>
    public static async Task<SiteStateView> CreateAsync(string directory, string name, TimeProvider time)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var files = new SiteFiles(directory);
        files.Make();
        using var home = SiteHome.Hold(directory);
        if (files.HasAuthorityKey || files.HasNodeKey)
            throw new StorageException($"{files.Directory}: has a site already");
        using var authority = SiteAuthority.Create(name, now);
        await files.KeepAsync(SiteFile.Revocations, authority.SignRevocations(0, [], now).Bytes);
        await files.KeepAsync(SiteFile.GossipKeys, authority.SignNewKey(null, isUrgent: false, now).Bytes);
        await files.WriteAuthorityAsync(authority);
        using var made = new OfflineAuthority(home, authority, now);
        return made.State();
    }

    /// <exception cref="StorageException">It is no authority's directory, a node uses it, or others may read its secrets.</exception>
    public static OfflineAuthority Open(string directory, TimeProvider time)
    {
        if (!Directory.Exists(directory))
            throw new StorageException($"{directory}: there is no such directory");
        var home = SiteHome.Hold(directory);
        SiteAuthority? authority = null;
        try
        {
            authority = home.Files.ReadIssuer(home.Files.ReadAuthority()) ?? throw new StorageException($"{directory}: the authority's key is not here");
            return new OfflineAuthority(home, authority, time.GetUtcNow().ToUnixTimeMilliseconds());
        }
        catch (StorageException)
        {
            authority?.Dispose();
            home.Dispose();
            throw;
        }
    }

    public SiteStateView State() => new(
        _authority.Certificate.Name, Convert.ToHexStringLower(_authority.Certificate.Fingerprint), null, true, _keys.Newest.Number, _revocations.Number,
        SiteViews.Of(_members.Members), SiteViews.Of(_revocations), null, "no node runs here");

    /// <exception cref="OperationRefusedException">Too many tokens wait, or the time is none.</exception>
    public async Task<TokenView> CreateTokenAsync(int minutes)
    {
        var token = EnrolmentToken.Create(_authority.Certificate, _now, SiteViews.TokenValidity(minutes));
        if (!_tokens.Add(token, _now))
            throw new OperationRefusedException(409, $"{TokenBook.TokensMax} tokens wait already");
        await _home.Files.KeepAsync(SiteFile.Tokens, _tokens.ToBytes());
        return SiteViews.Of(token);
    }

    /// <summary>Prepares the data directory of a node at a desk: its ID, key and certificate.</summary>
    /// <exception cref="OperationRefusedException">There is such a node already.</exception>
    public async Task<SiteMemberView> IssueAsync(NodeId node, string dataDirectory, TimeSpan validity)
    {
        if (_members.Members.ContainsKey(node))
            throw new OperationRefusedException(409, $"{node} is of this site already; revoke it first");
        var files = new SiteFiles(Path.Combine(dataDirectory, "site"));
        if (files.HasNodeKey || File.Exists(Path.Combine(dataDirectory, "identity.json")))
            throw new OperationRefusedException(409, $"{dataDirectory}: has a node already");
        new SiteFiles(dataDirectory).Make();
        files.Make();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var certificate = _authority.Issue(SiteAuthority.RequestFor(node, key), node, _now, validity)!;
        await NodeIdentity.StoreAsync(Path.Combine(dataDirectory, "identity.json"), node.Value, CancellationToken.None);
        await files.WriteAuthorityAsync(_authority.Certificate);
        await files.WriteNodeKeyAsync(key);
        await files.KeepAsync(SiteFile.Revocations, _revocations.Bytes);
        await files.KeepAsync(SiteFile.GossipKeys, _keys.Bytes);
        await files.KeepAsync(SiteFile.Certificate, certificate.Der);
        _members.Add(certificate, _revocations);
        await _home.Files.KeepAsync(SiteFile.Members, _members.ToBytes());
        return SiteViews.Of(certificate);
    }

    /// <exception cref="OperationRefusedException">There is no such node.</exception>
    public async Task RevokeAsync(string node)
    {
        var member = _members.Find(node)
            ?? throw new OperationRefusedException(404, $"'{node}' is no node of this site, or more than one; give its whole ID or the hash of its key");
        if (_revocations.Keys.Count >= RevocationList.KeysMax)
            throw new OperationRefusedException(409, $"{RevocationList.KeysMax} keys are revoked already; make a new site");
        _revocations = _authority.SignRevocations(_revocations, member, _now);
        _members.Apply(_revocations);
        await _home.Files.KeepAsync(SiteFile.Revocations, _revocations.Bytes);
        await ChangeKeyAsync(isUrgent: true);
    }

    public async Task ChangeKeyAsync(bool isUrgent)
    {
        _keys = _authority.SignNewKey(_keys, isUrgent, _now);
        await _home.Files.KeepAsync(SiteFile.GossipKeys, _keys.Bytes);
    }

    /// <summary>Compares with a node, as another node would: it learns what is new here, and this directory what is new there.</summary>
    /// <exception cref="PeerException">It cannot be reached, or is of another site.</exception>
    public async Task PublishAsync(IPEndPoint address, TimeProvider time, CancellationToken cancel)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = SiteAuthority.RequestFor(Desk, key);
        var own = _authority.Issue(request, Desk, _now, TimeSpan.FromDays(1))!;
        var now = Instant.Now(time);
        var core = new SiteCore(new SiteStart(Desk, _authority.Certificate, own, request, _revocations, _keys, 0, _members.ToBytes()), new Random(), now);
        using var identity = new SiteIdentity(key, core.View(now), time);
        using var network = new TlsPeerNetwork(Desk, identity, static _ => null, time, NullLogger.Instance);
        await using var conversation = await network.OpenAsync(null, address, ConversationKind.Site, cancel);
        var exchange = core.Converse(conversation.Peer, isOpener: true, conversation.MayOnlyRenew);
        for (var turn = exchange.Open(now); turn is not null; turn = exchange.Answer(await SiteTurns.ReceiveAsync(conversation, cancel) ?? throw new PeerException($"{address} ended early"), now))
            await SiteTurns.SendAsync(conversation, turn, cancel);
        while (core.Outbox.TryDequeue(out var action))
            if (action is Keep keep)
                await _home.Files.KeepAsync(keep.File, keep.Content);
    }

    public void Dispose()
    {
        _authority.Dispose();
        _home.Dispose();
    }
}
