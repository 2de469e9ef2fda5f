using System.Net;
using System.Security.Cryptography;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mesh.Site;

namespace EdgeFirmware.Mesh.Tests.Site;

/// <summary>A site's authority, and what it takes to make nodes of it.</summary>
internal sealed class TestSite : IDisposable
{
    /// <summary>2026-11-21, milliseconds since 1970.</summary>
    public const long Today = 1_795_219_200_000;

    public const long Day = 86_400_000;

    private readonly Dictionary<NodeId, ECDsa> _keys = [];

    public TestSite(string name = "orchard")
    {
        Authority = SiteAuthority.Create(name, Today);
        Revocations = Authority.SignRevocations(0, [], Today);
        Keys = Authority.SignNewKey(null, isUrgent: false, Today);
    }

    public SiteAuthority Authority { get; }

    public RevocationList Revocations { get; }

    public GossipKeys Keys { get; }

    public static NodeId Node(int number) => NodeId.Parse($"node-{number}/02:00:00:00:{number / 256:x2}:{number % 256:x2}");

    public static IPEndPoint Address(int number) => new(new IPAddress([10, 1, (byte)(number / 256), (byte)(number % 256)]), 7900);

    public static MemberView Member(int number, MemberStatus status = MemberStatus.Alive) => new(Node(number), Address(number), status, 0, null, null, "");

    public ECDsa KeyOf(NodeId node)
    {
        if (!_keys.TryGetValue(node, out var key))
            _keys.Add(node, key = ECDsa.Create(ECCurve.NamedCurves.nistP256));
        return key;
    }

    /// <summary>The node's next key: as after a new enrolment.</summary>
    public void ForgetKey(NodeId node) => _keys.Remove(node);

    public Certificate Issue(NodeId node, long at = Today, int days = 365) =>
        Authority.Issue(SiteAuthority.RequestFor(node, KeyOf(node)), node, at, TimeSpan.FromDays(days))!;

    public SiteStart Start(NodeId self, bool issues = false, long at = Today, int days = 365) =>
        new(self, Authority.Certificate, Issue(self, at, days), SiteAuthority.RequestFor(self, KeyOf(self)), Revocations, Keys, 0, [])
        {
            Issuer = issues ? Authority : null,
        };

    public void Dispose()
    {
        Authority.Dispose();
        foreach (var key in _keys.Values)
            key.Dispose();
    }
}
