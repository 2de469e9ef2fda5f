using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mesh.Site;

namespace EdgeFirmware.Firmware.Site;

/// <summary>What a node has of its site, read from its directory. The directory is held, so that no command line changes it behind the node's
/// back.</summary>
internal sealed class SiteHome : IDisposable
{
    private readonly FileStream _lock;

    private SiteHome(SiteFiles files, FileStream held)
    {
        Files = files;
        _lock = held;
    }

    public SiteFiles Files { get; }

    /// <exception cref="StorageException">Another process uses it, or it cannot be written.</exception>
    public static SiteHome Hold(string directory)
    {
        var files = new SiteFiles(directory);
        try
        {
            return new SiteHome(files, new FileStream(Path.Combine(files.Directory, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            var why = error is IOException && File.Exists(Path.Combine(files.Directory, "lock"))
                ? "a node that runs uses it; name the node with --data or --config instead of --dir"
                : error.Message;
            throw new StorageException($"{files.Directory}: {why}", error);
        }
    }

    /// <summary>What the node starts with. A node that holds the authority and has no certificate makes itself one.</summary>
    /// <returns>Also the private key of the node.</returns>
    /// <exception cref="StorageException">Something is missing, faulty, or may be read by others.</exception>
    public async Task<(SiteStart Start, ECDsa Key)> LoadAsync(NodeId self, IReadOnlyList<IPEndPoint> seeds, long now)
    {
        var authority = Files.ReadAuthority();
        var issuer = Files.ReadIssuer(authority);
        if (!Files.HasNodeKey && issuer is not null)
            await IssueOwnAsync(issuer, self, now);
        if (!Files.HasNodeKey)
            throw new StorageException($"{Files.NodeKeyPath}: missing; enrol this node with 'edge-firmware site join'");
        var key = Files.ReadNodeKey();
        var own = Files.ReadNodeCertificate();
        if (!own.IsSignedBy(authority))
            throw new StorageException($"{Files.Directory}: node.pem is not signed by authority.pem");
        if (own.Node != self)
            throw new StorageException($"{Files.Directory}: node.pem is the certificate of {own.Node}, and this node is {self}; a node that is renamed has to join again");
        if (!own.PublicKey.AsSpan().SequenceEqual(key.ExportSubjectPublicKeyInfo()))
            throw new StorageException($"{Files.Directory}: node.key is not the key of node.pem");
        var (revocations, keys) = ReadDocuments(authority);
        var start = new SiteStart(self, authority, own, SiteAuthority.RequestFor(self, key), revocations, keys, ReadClock(), ReadOrNothing(SiteFile.Members))
        {
            Seeds = seeds, Issuer = issuer, Tokens = ReadTokens(),
        };
        return (start, key);
    }

    /// <exception cref="StorageException">One is missing or not the authority's.</exception>
    public (RevocationList Revocations, GossipKeys Keys) ReadDocuments(Certificate authority) => (
        RevocationList.Read(Files.Read(SiteFile.Revocations), authority) ?? throw new StorageException($"{Files.Directory}: revocations is not signed by authority.pem"),
        GossipKeys.Read(Files.Read(SiteFile.GossipKeys), authority) ?? throw new StorageException($"{Files.Directory}: gossip-keys is not signed by authority.pem"));

    /// <exception cref="StorageException">It is faulty.</exception>
    public TokenBook ReadTokens() =>
        Files.Has(SiteFile.Tokens) ? TokenBook.Read(Files.Read(SiteFile.Tokens)) ?? throw new StorageException($"{Files.Directory}: tokens is no list of tokens; remove it") : new TokenBook();

    public byte[] ReadOrNothing(SiteFile file) => Files.Has(file) ? Files.Read(file) : [];

    public void Dispose() => _lock.Dispose();

    private long ReadClock() => ReadOrNothing(SiteFile.Clock) is { Length: 8 } bytes ? BinaryPrimitives.ReadInt64BigEndian(bytes) : 0;

    private async Task IssueOwnAsync(SiteAuthority issuer, NodeId self, long now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var certificate = issuer.Issue(SiteAuthority.RequestFor(self, key), self, Math.Max(now, issuer.Certificate.NotBefore), SiteAuthority.UsualValidity)!;
        await Files.KeepAsync(SiteFile.Certificate, certificate.Der);
        await Files.WriteNodeKeyAsync(key); // last: without it all of this is done again
    }
}
