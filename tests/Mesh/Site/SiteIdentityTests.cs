using System.Security.Cryptography;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Mesh.Site;

namespace EdgeFirmware.Mesh.Tests.Site;

public sealed class SiteIdentityTests : IDisposable
{
    private readonly TestSite _site = new();
    private readonly SiteCore _core;
    private readonly SiteIdentity _identity;

    public SiteIdentityTests()
    {
        var self = TestSite.Node(1);
        _core = new SiteCore(_site.Start(self, issues: true), new Random(1), default);
        var copy = ECDsa.Create(_site.KeyOf(self).ExportParameters(includePrivateParameters: true));
        _identity = new SiteIdentity(copy, _core.View(default), TimeProvider.System);
    }

    public void Dispose()
    {
        _identity.Dispose();
        _site.Dispose();
    }

    [Fact]
    public void A_statement_is_its_signers_and_nobody_elses()
    {
        var signature = _identity.Sign("hello"u8);
        Assert.Equal(ISiteIdentity.SignatureBytesMax, signature.Length);
        Assert.Equal(SignatureVerdict.Genuine, _identity.Verify(TestSite.Node(1), "hello"u8, signature));
        Assert.Equal(SignatureVerdict.Forged, _identity.Verify(TestSite.Node(1), "hullo"u8, signature));
        Assert.Equal(SignatureVerdict.Forged, _identity.Verify(TestSite.Node(1), "hello"u8, []));
        Learn(_site.Issue(TestSite.Node(2)));
        Assert.Equal(SignatureVerdict.Forged, _identity.Verify(TestSite.Node(2), "hello"u8, signature));
    }

    [Fact]
    public void Of_an_unknown_signer_nothing_is_said_and_its_certificate_is_asked_for()
    {
        var asked = new List<NodeId>();
        _identity.Unknown = asked.Add;
        var signature = Sign(2);
        Assert.Equal(SignatureVerdict.Unknown, _identity.Verify(TestSite.Node(2), "hello"u8, signature));
        Assert.Equal([TestSite.Node(2)], asked);
        Learn(_site.Issue(TestSite.Node(2)));
        Assert.Equal(SignatureVerdict.Genuine, _identity.Verify(TestSite.Node(2), "hello"u8, signature));
    }

    [Fact]
    public void Who_is_shut_out_signs_nothing_any_more()
    {
        Learn(_site.Issue(TestSite.Node(2)));
        var signature = Sign(2);
        Assert.Equal(SignatureVerdict.Genuine, _identity.Verify(TestSite.Node(2), "hello"u8, signature));
        Assert.Equal("", _core.Revoke("node-2", default));
        _identity.ViewIs(_core.View(default));
        Assert.Equal(SignatureVerdict.Forged, _identity.Verify(TestSite.Node(2), "hello"u8, signature));
        Assert.True(_identity.IsShutOut(TestSite.Node(2)));
        Assert.False(_identity.IsShutOut(TestSite.Node(3)));
    }

    [Fact]
    public void Certificates_are_judged_by_authority_and_revocation()
    {
        using var stranger = new TestSite();
        var node = _site.Issue(TestSite.Node(2));
        Assert.Equal((PeerAdmission.Everything, TestSite.Node(2)), (_identity.Judge(node.Der).Admission, _identity.Judge(node.Der).Node));
        Assert.Contains("another site", _identity.Judge(stranger.Issue(TestSite.Node(2)).Der).Why, StringComparison.Ordinal);
        Assert.Equal(PeerAdmission.Refused, _identity.Judge(_site.Authority.Certificate.Der).Admission);
        Assert.Equal(PeerAdmission.Refused, _identity.Judge([1, 2, 3]).Admission);
        Learn(node);
        _core.Revoke("node-2", default);
        _identity.ViewIs(_core.View(default));
        Assert.Contains("revoked", _identity.Judge(node.Der).Why, StringComparison.Ordinal);
    }

    [Fact]
    public void The_lab_signs_nothing_and_takes_a_signature_for_a_forgery()
    {
        var lab = new LabIdentity();
        Assert.Empty(lab.Sign("hello"u8));
        Assert.Equal(SignatureVerdict.Genuine, lab.Verify(TestSite.Node(1), "hello"u8, []));
        Assert.Equal(SignatureVerdict.Forged, lab.Verify(TestSite.Node(1), "hello"u8, new byte[64]));
    }

    private byte[] Sign(int node)
    {
        using var other = new SiteIdentity(
            ECDsa.Create(_site.KeyOf(TestSite.Node(node)).ExportParameters(includePrivateParameters: true)),
            new SiteCore(_site.Start(TestSite.Node(node)), new Random(1), default).View(default), TimeProvider.System);
        return other.Sign("hello"u8);
    }

    private void Learn(Certificate certificate)
    {
        Assert.Equal("", _core.CertificateCame(certificate.Der, default));
        _identity.ViewIs(_core.View(default));
    }
}
