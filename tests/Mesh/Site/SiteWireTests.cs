using EdgeFirmware.Mesh.Site;

namespace EdgeFirmware.Mesh.Tests.Site;

/// <summary>Everything that comes from a peer or a file: read as written, and never more than a <c>null</c> for what is wrong.</summary>
public sealed class SiteWireTests : IDisposable
{
    private readonly TestSite _site = new();

    public void Dispose() => _site.Dispose();

    [Fact]
    public void Every_message_is_read_as_it_was_written()
    {
        foreach (var message in Messages())
        {
            var (type, body) = message.Write();
            Assert.Equal(body, SiteMessage.Read(type, body)!.Write().Body);
        }
        foreach (var message in Enrolments())
        {
            var (type, body) = message.Write();
            Assert.Equal(body, EnrolmentMessage.Read(type, body)!.Write().Body);
        }
    }

    [Fact]
    public void Messages_cut_anywhere_or_too_long_are_none()
    {
        foreach (var (type, body) in Messages().Select(message => message.Write()).Where(frame => frame.Body.Length > 0))
        {
            for (var length = 0; length < body.Length; length++)
                Assert.Null(SiteMessage.Read(type, body.AsSpan(0, length)));
            Assert.Null(SiteMessage.Read(type, [.. body, 0]));
        }
        foreach (var (type, body) in Enrolments().Select(message => message.Write()))
        {
            for (var length = 0; length < body.Length; length++)
                Assert.Null(EnrolmentMessage.Read(type, body.AsSpan(0, length)));
            Assert.Null(EnrolmentMessage.Read(type, [.. body, 0]));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(20)]
    [InlineData(300)]
    public void Random_and_changed_bytes_are_survived(int seed)
    {
        var random = new Random(seed);
        var samples = Messages().Select(message => message.Write()).Concat(Enrolments().Select(message => message.Write())).ToArray();
        byte[][] documents = [_site.Revocations.Bytes, _site.Keys.Bytes, _site.Issue(TestSite.Node(1)).Der, Book().ToBytes(), Directory().ToBytes()];
        for (var i = 0; i < 4000; i++)
        {
            var noise = new byte[random.Next(0, 200)];
            random.NextBytes(noise);
            ReadAll((byte)random.Next(0, 12), noise);
            var (type, body) = samples[random.Next(samples.Length)];
            ReadAll(type, Change(body, random));
            ReadAll(type, Change(documents[random.Next(documents.Length)], random));
        }
    }

    [Fact]
    public void A_document_that_anything_was_changed_in_is_not_the_authoritys()
    {
        var random = new Random(5);
        var authority = _site.Authority.Certificate;
        for (var i = 0; i < 200; i++)
        {
            var changed = (byte[])_site.Revocations.Bytes.Clone();
            changed[random.Next(changed.Length)] ^= (byte)(1 << random.Next(8));
            Assert.Null(RevocationList.Read(changed, authority));
            changed = (byte[])_site.Keys.Bytes.Clone();
            changed[random.Next(changed.Length)] ^= (byte)(1 << random.Next(8));
            Assert.Null(GossipKeys.Read(changed, authority));
        }
        using var other = new TestSite();
        Assert.Null(RevocationList.Read(_site.Revocations.Bytes, other.Authority.Certificate));
        Assert.Null(GossipKeys.Read(_site.Revocations.Bytes, authority)); // and one kind is never taken for another
        Assert.Null(RevocationList.Read(_site.Keys.Bytes, authority));
    }

    [Fact]
    public void A_certificate_that_was_changed_is_not_signed_by_the_authority()
    {
        var random = new Random(6);
        var der = _site.Issue(TestSite.Node(1)).Der;
        for (var i = 0; i < 300; i++)
        {
            var changed = (byte[])der.Clone();
            changed[random.Next(changed.Length)] ^= (byte)(1 << random.Next(8));
            Assert.False(Certificate.Read(changed) is { } read && read.IsSignedBy(_site.Authority.Certificate), $"round {i}");
        }
    }

    [Fact]
    public void A_full_revocation_list_and_a_full_directory_fit_where_they_have_to()
    {
        var keys = Enumerable.Range(0, RevocationList.KeysMax).Select(i => new RevokedKey(Convert.ToHexStringLower(new byte[32]), Samples.Node(i))).ToArray();
        Assert.NotNull(_site.Authority.SignRevocations(1, keys, 0));
    }

    private void ReadAll(byte type, byte[] bytes)
    {
        SiteMessage.Read(type, bytes);
        EnrolmentMessage.Read(type, bytes);
        RevocationList.Read(bytes, _site.Authority.Certificate);
        GossipKeys.Read(bytes, _site.Authority.Certificate);
        TokenBook.Read(bytes);
        if (Certificate.Read(bytes) is { } certificate)
            certificate.IsSignedBy(_site.Authority.Certificate);
        new MemberDirectory().Load(bytes, _site.Authority.Certificate, _site.Revocations);
    }

    private static byte[] Change(byte[] bytes, Random random)
    {
        var changed = bytes.AsSpan(0, random.Next(2) == 0 ? bytes.Length : random.Next(bytes.Length + 1)).ToArray();
        for (var count = random.Next(1, 4); count > 0 && changed.Length > 0; count--)
            changed[random.Next(changed.Length)] = (byte)random.Next(256);
        return changed;
    }

    private IEnumerable<SiteMessage> Messages() =>
    [
        new SiteSummary(1, 2, 3, TestSite.Today, true, 0x0102030405060708), new SiteSummary(0, 0, 0, null, false, 0), new SiteRevocations(_site.Revocations.Bytes),
        new SiteKeys(_site.Keys.Bytes), new SiteMembers([1, 2, ulong.MaxValue]), new SiteWanted([7]), new SiteMember(_site.Issue(TestSite.Node(1)).Der),
        new SiteRenewal(SiteAuthority.RequestFor(TestSite.Node(1), _site.KeyOf(TestSite.Node(1)))), new SiteRefusal("why"), new SiteTurn(),
    ];

    private IEnumerable<EnrolmentMessage> Enrolments()
    {
        var offer = EnrolmentOffer.From(_site.Authority.Certificate);
        var token = EnrolmentToken.Create(_site.Authority.Certificate, TestSite.Today, TimeSpan.FromHours(1));
        return
        [
            offer, EnrolmentRequest.From(token, offer, [1, 2, 3], TestSite.Node(1), _site.KeyOf(TestSite.Node(1))),
            new EnrolmentGrant(_site.Issue(TestSite.Node(1)).Der, _site.Keys.Bytes, _site.Revocations.Bytes), new EnrolmentRefusal("why"),
        ];
    }

    private TokenBook Book()
    {
        var book = new TokenBook();
        book.Add(EnrolmentToken.Create(_site.Authority.Certificate, TestSite.Today, TimeSpan.FromHours(1)), TestSite.Today);
        return book;
    }

    private MemberDirectory Directory()
    {
        var directory = new MemberDirectory();
        directory.Add(_site.Issue(TestSite.Node(1)), _site.Revocations);
        directory.Add(_site.Issue(TestSite.Node(2)), _site.Revocations);
        return directory;
    }
}
