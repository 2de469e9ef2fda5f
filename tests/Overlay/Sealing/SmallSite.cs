using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Peers;

namespace EdgeFirmware.Overlay.Tests.Sealing;

/// <summary>A site that knows each member's certificate: what the mesh's directory makes of an authority's signatures.</summary>
internal sealed class SmallSite : IDisposable
{
    private readonly Dictionary<string, (NodeId Node, PeerStanding Standing)> _known = [];
    private readonly List<X509Certificate2> _certificates = [];

    public static NodeId Node(int number) => NodeId.Parse($"node-{number}/02:00:00:00:00:{number:x2}");

    public static X509Certificate2 Certificate(ECDsa key, int paddingBytes = 0)
    {
        var request = new CertificateRequest("CN=node", key, HashAlgorithmName.SHA256);
        if (paddingBytes > 0)
            request.CertificateExtensions.Add(new X509Extension("1.2.3.4", new byte[paddingBytes], critical: false));
        return request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
    }

    public Member Join(int number) => Join(Node(number), ECCurve.NamedCurves.nistP256);

    public Member Join(NodeId node, ECCurve curve, int paddingBytes = 0)
    {
        using var key = ECDsa.Create(curve);
        var certificate = Certificate(key, paddingBytes);
        _certificates.Add(certificate);
        _known[Convert.ToHexString(certificate.RawData)] = (node, new PeerStanding(PeerAdmission.Everything, node, ""));
        return new Member(this, node, certificate);
    }

    /// <summary>Every certificate of that node.</summary>
    public void Judges(NodeId node, PeerAdmission admission, string why)
    {
        foreach (var (der, known) in _known.ToArray())
            if (known.Node == node)
                _known[der] = (node, new PeerStanding(admission, admission == PeerAdmission.Refused ? default : node, why));
    }

    public void Dispose() => _certificates.ForEach(certificate => certificate.Dispose());

    internal sealed class Member(SmallSite site, NodeId node, X509Certificate2 own) : IPeerTrust
    {
        public NodeId Node => node;

        public X509Certificate2 Own => own;

        public bool AdmitsStrangers => false;

        public PeerStanding Judge(byte[] certificate) =>
            site._known.TryGetValue(Convert.ToHexString(certificate), out var known)
                ? known.Standing
                : new PeerStanding(PeerAdmission.Refused, default, "its certificate is of another site");
    }
}
