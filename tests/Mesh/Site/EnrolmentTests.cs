using EdgeFirmware.Contracts;
using EdgeFirmware.Mesh.Site;

namespace EdgeFirmware.Mesh.Tests.Site;

public sealed class EnrolmentTests : IDisposable
{
    private static readonly Instant Start = new(1_000_000);
    private static readonly NodeId Newcomer = TestSite.Node(7);
    private readonly TestSite _site = new();
    private readonly SiteCore _issuer;
    private readonly byte[] _shown;

    public EnrolmentTests()
    {
        var start = _site.Start(TestSite.Node(1), issues: true);
        _shown = start.Own.Der;
        _issuer = new SiteCore(start, new Random(1), Start);
        _issuer.Advance(TestSite.Today, Start);
    }

    public void Dispose() => _site.Dispose();

    [Fact]
    public void A_token_is_one_line_and_read_as_it_was_made()
    {
        var token = Token();
        var read = EnrolmentToken.Parse($"  {token}\n")!;
        Assert.Equal((token.Expires, token.ToString()), (read.Expires, read.ToString()));
        Assert.InRange(token.ToString().Length, 1, 80);
        Assert.Equal(_site.Authority.Certificate.Fingerprint, read.Authority);
        foreach (var wrong in new[] { "", "edge1-", "edge2-AAAA", token.ToString()[..^2], token + "AA", "edge1-" + new string('!', 70), new string('a', 10_000) })
            Assert.Null(EnrolmentToken.Parse(wrong));
    }

    [Fact]
    public void Who_proves_the_token_gets_a_certificate_and_what_a_node_needs()
    {
        var grant = Assert.IsType<EnrolmentGrant>(Enrol(Token()));
        var certificate = Certificate.Read(grant.Certificate)!;
        Assert.True(certificate.IsSignedBy(_site.Authority.Certificate));
        Assert.Equal((Newcomer, false), (certificate.Node, certificate.IsAuthority));
        Assert.Equal(_site.KeyOf(Newcomer).ExportSubjectPublicKeyInfo(), certificate.PublicKey);
        Assert.NotNull(GossipKeys.Read(grant.Keys, _site.Authority.Certificate));
        Assert.NotNull(RevocationList.Read(grant.Revocations, _site.Authority.Certificate));
    }

    [Fact]
    public void A_token_lets_one_in_and_is_struck_out_on_disk_before_anybody_is_answered()
    {
        var token = Token();
        _issuer.Outbox.Clear();
        Assert.IsType<EnrolmentGrant>(Enrol(token));
        var kept = Assert.IsType<Keep>(_issuer.Outbox.First(action => action is Keep { File: SiteFile.Tokens }));
        Assert.Equal(0, TokenBook.Read(kept.Content)!.Count);
        Assert.Contains("was used", Refusal(Enrol(token, TestSite.Node(8))), StringComparison.Ordinal);
    }

    [Fact]
    public void An_expired_token_lets_nobody_in()
    {
        var token = Token();
        _issuer.Advance(TestSite.Today + 2 * 3_600_000, Start + TimeSpan.FromHours(2));
        Assert.Contains("expired", Refusal(Enrol(token)), StringComparison.Ordinal);
        Assert.False(_issuer.View(Start + TimeSpan.FromHours(2)).Enrols);
    }

    [Fact]
    public void What_another_server_was_told_proves_nothing_here()
    {
        // A member in the middle passes on what the newcomer says to it; its own certificate is part of the proof.
        var token = Token();
        var offer = EnrolmentOffer.From(_site.Authority.Certificate);
        var toTheMiddle = EnrolmentRequest.From(token, offer, _site.Issue(TestSite.Node(3)).Der, Newcomer, _site.KeyOf(Newcomer));
        Assert.Contains("proof", Refusal(_issuer.Enrol(offer, toTheMiddle, _shown, Start)), StringComparison.Ordinal);
        Assert.IsType<EnrolmentGrant>(Enrol(token)); // and the token is not spent
    }

    [Fact]
    public void An_old_request_a_changed_one_and_another_key_are_refused()
    {
        var token = Token();
        var offer = EnrolmentOffer.From(_site.Authority.Certificate);
        var request = EnrolmentRequest.From(token, offer, _shown, Newcomer, _site.KeyOf(Newcomer));
        Assert.IsType<EnrolmentRefusal>(_issuer.Enrol(EnrolmentOffer.From(_site.Authority.Certificate), request, _shown, Start));
        Assert.IsType<EnrolmentRefusal>(_issuer.Enrol(offer, request with { Node = TestSite.Node(9) }, _shown, Start));
        var other = SiteAuthority.RequestFor(Newcomer, _site.KeyOf(TestSite.Node(9)));
        Assert.IsType<EnrolmentRefusal>(_issuer.Enrol(offer, request with { CertificateRequest = other }, _shown, Start));
        Assert.IsType<EnrolmentGrant>(_issuer.Enrol(offer, request, _shown, Start));
    }

    [Fact]
    public void Nobody_gets_the_name_of_another_node_and_who_lost_the_answer_may_ask_again()
    {
        Assert.IsType<EnrolmentGrant>(Enrol(Token()));
        Assert.IsType<EnrolmentGrant>(Enrol(Token())); // the same key
        _site.ForgetKey(Newcomer);
        Assert.Contains("revoke it first", Refusal(Enrol(Token())), StringComparison.Ordinal);
        Assert.Equal("", _issuer.Revoke(Newcomer.Name, Start));
        Assert.IsType<EnrolmentGrant>(Enrol(Token()));
        Assert.False(_issuer.View(Start).ShutOut.Contains(Newcomer));
    }

    [Fact]
    public void A_node_without_the_authority_enrols_nobody_and_tokens_are_bounded()
    {
        var other = new SiteCore(_site.Start(TestSite.Node(2)), new Random(1), Start);
        Assert.Null(other.CreateToken(TimeSpan.FromHours(1)));
        for (var i = 0; i < TokenBook.TokensMax; i++)
            Assert.NotNull(_issuer.CreateToken(TimeSpan.FromHours(1)));
        Assert.Null(_issuer.CreateToken(TimeSpan.FromHours(1)));
        _issuer.Advance(TestSite.Today + TestSite.Day, Start + TimeSpan.FromDays(1));
        Assert.NotNull(_issuer.CreateToken(TimeSpan.FromHours(1)));
    }

    private static string Refusal(EnrolmentMessage answer) => Assert.IsType<EnrolmentRefusal>(answer).Why;

    private EnrolmentToken Token() => _issuer.CreateToken(TimeSpan.FromHours(1))!;

    private EnrolmentMessage Enrol(EnrolmentToken token, NodeId? node = null)
    {
        var who = node ?? Newcomer;
        var offer = EnrolmentOffer.From(_site.Authority.Certificate);
        return _issuer.Enrol(offer, EnrolmentRequest.From(token, offer, _shown, who, _site.KeyOf(who)), _shown, Start);
    }
}
