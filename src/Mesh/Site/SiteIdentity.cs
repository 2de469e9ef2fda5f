using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Peers;

namespace EdgeFirmware.Mesh.Site;

/// <summary>A node's key and certificate, and what it makes of others', by the latest <see cref="SiteView"/>.</summary>
public sealed class SiteIdentity : ISiteIdentity, IPeerTrust, IDisposable
{
    private const string Purpose = "edge-firmware statement v1";

    /// <summary>Keys kept ready to verify with, 1 KB each.</summary>
    private const int KeysMax = 256;

    private readonly ECDsa _key;
    private readonly TimeProvider _time;
    private readonly Dictionary<NodeId, ReadyKey> _keys = [];
    private volatile SiteView _view;
    private volatile X509Certificate2 _own;

    /// <param name="key">The private key of the view's own certificate; owned from now on.</param>
    public SiteIdentity(ECDsa key, SiteView view, TimeProvider time)
    {
        _key = key;
        _time = time;
        _view = view;
        _own = WithKey(view.Own);
    }

    public SiteView View => _view;

    /// <summary>Called with a node whose certificate is not known. Must be quick.</summary>
    public Action<NodeId>? Unknown { get; set; }

    public X509Certificate2 Own => _own;

    public bool AdmitsStrangers => _view.Enrols;

    /// <summary>From now on this is so. Called by one thread.</summary>
    public void ViewIs(SiteView view)
    {
        if (!ReferenceEquals(view.Own, _view.Own))
            _own = WithKey(view.Own);
        _view = view;
    }

    public byte[] Sign(ReadOnlySpan<byte> statement) => SignedDocument.Sign(statement, Purpose, _key);

    public SignatureVerdict Verify(NodeId signer, ReadOnlySpan<byte> statement, ReadOnlySpan<byte> signature)
    {
        var view = _view;
        if (signature.Length != SignedDocument.SignatureBytes || view.ShutOut.Contains(signer))
            return SignatureVerdict.Forged;
        if (!view.Members.TryGetValue(signer, out var certificate))
        {
            Unknown?.Invoke(signer);
            return SignatureVerdict.Unknown;
        }
        return SignedDocument.IsGenuine(statement, signature, Purpose, KeyOf(certificate)) ? SignatureVerdict.Genuine : SignatureVerdict.Forged;
    }

    public bool IsShutOut(NodeId node) => _view.ShutOut.Contains(node);

    public PeerStanding Judge(byte[] certificate)
    {
        var view = _view;
        if (Certificate.Read(certificate) is not { } read || read.Node == default || read.IsAuthority)
            return Refused("its certificate is not one of a node");
        // A certificate of the directory has been verified when it came.
        if (!(view.Members.TryGetValue(read.Node, out var known) && known.Der.AsSpan().SequenceEqual(certificate)) && !read.IsSignedBy(view.Authority))
            return Refused("its certificate is of another site");
        if (view.Revocations.Has(read.KeyHash))
            return Refused($"the certificate of {read.Node} is revoked");
        return view.HasExpired(read, Instant.Now(_time))
            ? new PeerStanding(PeerAdmission.Renewal, read.Node, $"its certificate has expired at {SiteCore.DateOf(read.NotAfter)}, and it may only renew it")
            : new PeerStanding(PeerAdmission.Everything, read.Node, "");
    }

    /// <summary><see cref="Own"/> is left to the collector, as those before a renewal are: handshakes may be under way.</summary>
    public void Dispose()
    {
        _key.Dispose();
        foreach (var ready in _keys.Values)
            ready.Key.Dispose();
    }

    private static PeerStanding Refused(string why) => new(PeerAdmission.Refused, default, why);

    private X509Certificate2 WithKey(Certificate certificate)
    {
        using var bare = X509CertificateLoader.LoadCertificate(certificate.Der);
        return bare.CopyWithPrivateKey(_key);
    }

    /// <summary>Called by the mesh loop only.</summary>
    private ECDsa KeyOf(Certificate certificate)
    {
        if (_keys.TryGetValue(certificate.Node, out var kept) && kept.Hash == certificate.KeyHash)
            return kept.Key;
        if (_keys.Count >= KeysMax)
        {
            foreach (var old in _keys.Values)
                old.Key.Dispose();
            _keys.Clear();
        }
        else
            kept?.Key.Dispose();
        var key = certificate.OpenKey();
        _keys[certificate.Node] = new ReadyKey(certificate.KeyHash, key);
        return key;
    }

    private sealed record ReadyKey(string Hash, ECDsa Key);
}
