using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Overlay.Sealing;
using static EdgeFirmware.Overlay.Tests.Sealing.SmallSite;

namespace EdgeFirmware.Overlay.Tests.Sealing;

public sealed class HandshakeAttackTests : BetweenTwoMembers
{
    [Fact]
    public void A_certificate_without_its_key_proves_nothing_and_does_not_end_the_handshake()
    {
        using var handshake = new Handshake(One, Two);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var step = handshake.Initiator.Handle(Impostor.Answer(handshake.First, Two.Node, Two.Own.RawData, key));
        Assert.Equal((HandshakeOutcome.Refused, $"{Two.Node}: it has not signed this handshake"), (step.Outcome, step.Why));
        handshake.Complete();
    }

    [Fact]
    public void Who_swaps_the_keys_in_between_can_pass_nobodys_signature_on()
    {
        using var handshake = new Handshake(One, Two);
        // Towards the responder she is an initiator of her own, and reads what it seals.
        using var hers = new EphemeralKey();
        var first = HandshakeLayout.MakeFirst(Handshake.InitiatorIndex, hers.Point);
        using var responder = HandshakeResponder.TryAnswer(Two.Node, Two, Handshake.ResponderIndex, first, out _)!;
        var second = responder.Second.ToArray();
        using var secrets = HandshakeSecrets.Agree(hers, HandshakeLayout.PointOf(second), first, second.AsSpan(0, HandshakeLayout.SecondHeaderBytes))!;
        var shown = secrets.Open(HandshakeRole.Responder, second, HandshakeLayout.SecondHeaderBytes)!;
        // Towards the initiator she shows that.
        var step = handshake.Initiator.Handle(Impostor.Answer(handshake.First, (_, _) => shown));
        Assert.Equal((HandshakeOutcome.Refused, $"{Two.Node}: it has not signed this handshake"), (step.Outcome, step.Why));
        // And nothing she can say to the responder is the initiator's.
        secrets.Absorb(shown);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var identity = ShownIdentity.Unsigned(One.Node, One.Own.RawData);
        byte[] said = [.. identity, .. key.SignData(secrets.Statement(HandshakeRole.Initiator, identity), HashAlgorithmName.SHA256)];
        step = responder.Handle(secrets.Seal(HandshakeRole.Initiator, HandshakeLayout.MakeThirdHeader(Handshake.ResponderIndex), said));
        Assert.Equal((HandshakeOutcome.Refused, $"{One.Node}: it has not signed this handshake"), (step.Outcome, step.Why));
    }

    [Fact]
    public void A_signature_as_the_responder_is_none_as_the_initiator_though_the_key_is_everybodys()
    {
        using var key = new SharedKey();
        using var hers = new EphemeralKey();
        var first = HandshakeLayout.MakeFirst(1, hers.Point);
        using var responder = HandshakeResponder.TryAnswer(Node(2), key, 2, first, out _)!;
        var second = responder.Second.ToArray();
        using var secrets = HandshakeSecrets.Agree(hers, HandshakeLayout.PointOf(second), first, second.AsSpan(0, HandshakeLayout.SecondHeaderBytes))!;
        var shown = secrets.Open(HandshakeRole.Responder, second, HandshakeLayout.SecondHeaderBytes)!;
        var anyone = new IdentityProof(Node(9), key);
        Assert.NotNull(anyone.Judge(secrets, HandshakeRole.Responder, null, shown, out _));
        Assert.Null(anyone.Judge(secrets, HandshakeRole.Initiator, null, shown, out var why));
        Assert.Equal($"{Node(2)}: it has not signed this handshake", why);
        secrets.Absorb(shown);
        var step = responder.Handle(secrets.Seal(HandshakeRole.Initiator, HandshakeLayout.MakeThirdHeader(2), shown));
        Assert.Equal((HandshakeOutcome.Refused, $"it says that it is this node, {Node(2)}"), (step.Outcome, step.Why));
    }

    [Fact]
    public void A_member_in_the_middle_cannot_put_its_own_name_on_an_exchange_of_others()
    {
        var third = Site.Join(3);
        using var handshake = new Handshake(One, Two);
        handshake.Initiator.Handle(handshake.Second);
        // It has no secret of that exchange: it can only seal with one of its own.
        using var own = new Handshake(third, Two);
        own.Initiator.Handle(own.Second);
        Assert.Equal(HandshakeOutcome.Discarded, handshake.Responder.Handle(own.Third).Outcome);
        Assert.Equal(HandshakeOutcome.Established, handshake.Responder.Handle(handshake.Third).Outcome);
    }

    [Fact]
    public void Datagrams_of_an_earlier_handshake_are_discarded()
    {
        using var before = new Handshake(One, Two);
        before.Complete();
        using var now = new Handshake(One, Two);
        Assert.Equal(HandshakeOutcome.Discarded, now.Initiator.Handle(before.Second).Outcome);
        Assert.Equal(HandshakeOutcome.Discarded, now.Responder.Handle(before.Third).Outcome);
        Assert.Equal(HandshakeOutcome.Discarded, now.Responder.Handle(before.First).Outcome);
        now.Complete();
        Assert.Equal(HandshakeOutcome.Discarded, now.Initiator.Handle(before.Second).Outcome);
        Assert.Equal(HandshakeOutcome.Discarded, now.Responder.Handle(before.Third).Outcome);
        // A first one that is played again is answered, and leads nowhere.
        using var fooled = HandshakeResponder.TryAnswer(Two.Node, Two, Handshake.ResponderIndex, before.First, out _)!;
        Assert.NotEqual(before.Second, fooled.Second.ToArray());
        Assert.Equal(HandshakeOutcome.Discarded, fooled.Handle(before.Third).Outcome);
    }

    [Fact]
    public void What_a_node_sent_is_refused_when_it_comes_back()
    {
        using var handshake = new Handshake(One, Two);
        Assert.Equal(HandshakeOutcome.Discarded, handshake.Initiator.Handle(handshake.First).Outcome);
        Assert.Equal(HandshakeOutcome.Discarded, handshake.Responder.Handle(handshake.Second).Outcome);
        // Its own point as the answer's.
        var mirrored = (byte[])handshake.Second.Clone();
        handshake.First.AsSpan(4).CopyTo(mirrored.AsSpan(5));
        var step = handshake.Initiator.Handle(mirrored);
        Assert.Equal((HandshakeOutcome.Refused, "this node's own key comes back: somebody reflects its datagrams"), (step.Outcome, step.Why));
        // Its own responder as the answering node, by either profile.
        using var itself = new Handshake(One, One);
        Assert.Equal($"it says that it is this node, {One.Node}", itself.Initiator.Handle(itself.Second).Why);
        using var key = new SharedKey();
        using var alsoItself = new Handshake(Node(5), key, Node(5), key);
        Assert.Equal($"it says that it is this node, {Node(5)}", alsoItself.Initiator.Handle(alsoItself.Second).Why);
        handshake.Complete();
    }

    public static TheoryData<string> NoPoints =>
    [
        new string('0', 128),
        new string('f', 128),
        // x and y swapped of the base point (FIPS 186-4, D.1.2.3)
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f56b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
        // the base point with y changed by one
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f4",
        // x = p
        "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
    ];

    [Theory]
    [MemberData(nameof(NoPoints))]
    public void What_is_no_point_of_the_curve_is_refused_by_both(string point)
    {
        var first = HandshakeLayout.MakeFirst(1, Convert.FromHexString(point));
        Assert.Null(HandshakeResponder.TryAnswer(Two.Node, Two, 2, first, out var why));
        Assert.Equal("its key is no point of P-256", why);
        using var handshake = new Handshake(One, Two);
        var second = (byte[])handshake.Second.Clone();
        Convert.FromHexString(point).CopyTo(second, 5);
        var step = handshake.Initiator.Handle(second);
        Assert.Equal((HandshakeOutcome.Refused, "its key is no point of P-256"), (step.Outcome, step.Why));
    }

    [Fact]
    public void Whatever_is_sealed_in_place_of_an_identity_is_refused()
    {
        using var key = new SharedKey();
        using var handshake = new Handshake(Node(1), key, Node(2), key);
        var good = ShownIdentity.Unsigned(Node(2), key.Own.RawData);
        byte[][] sealedTexts =
        [
            new byte[200],
            [.. Enumerable.Repeat((byte)255, 1100)],
            [.. good[..60], .. new byte[64]],
            [.. good, .. new byte[64]],
            [19, .. "a/02:00:00:00:00:0G"u8, .. new byte[100]],
            [19, .. "\u00e9/02:00:00:00:00:0"u8, .. new byte[100]],
            [.. ShownIdentity.Unsigned(Node(2), new byte[500]), .. new byte[64]],
            [.. ShownIdentity.Unsigned(Node(2), new byte[HandshakeLayout.CertificateBytesMax + 1]), .. new byte[64]],
        ];
        foreach (var text in sealedTexts)
        {
            var step = handshake.Initiator.Handle(Impostor.Answer(handshake.First, (_, _) => text));
            Assert.Equal(HandshakeOutcome.Refused, step.Outcome);
            Assert.NotEqual("", step.Why);
        }
        handshake.Complete();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Changed_datagrams_establish_nothing_and_spoil_nothing(int seed)
    {
        var random = new Random(seed);
        using var handshake = new Handshake(One, Two);
        for (var round = 0; round < 1500; round++)
        {
            using var fooled = HandshakeResponder.TryAnswer(Two.Node, Two, Handshake.ResponderIndex, Changed(handshake.First, random), out var why);
            Assert.True(fooled is not null || why.Length > 0);
            if (fooled is not null)
                NotEstablished(handshake.Initiator.Handle(fooled.Second.Span), seed, round);
            NotEstablished(handshake.Initiator.Handle(Changed(handshake.Second, random)), seed, round);
        }
        Assert.Equal(HandshakeOutcome.Established, handshake.Initiator.Handle(handshake.Second).Outcome);
        for (var round = 0; round < 5000; round++)
            NotEstablished(handshake.Responder.Handle(Changed(handshake.Third, random)), seed, round);
        Assert.Equal(HandshakeOutcome.Established, handshake.Responder.Handle(handshake.Third).Outcome);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public void Changed_identities_establish_nothing_even_when_sealed_well(int seed)
    {
        var random = new Random(seed);
        using var key = new SharedKey();
        (NodeId Node, IPeerTrust Trust)[] sides = [(Two.Node, Two), (Node(2), key)];
        foreach (var (node, trust) in sides)
        {
            using var initiator = new HandshakeInitiator(Node(1), trust, 1, null);
            using var signer = trust.Own.GetECDsaPrivateKey()!;
            for (var round = 0; round < 1000; round++)
            {
                var changed = Impostor.Answer(initiator.First.Span, (secrets, _) =>
                {
                    var identity = ShownIdentity.Unsigned(node, trust.Own.RawData);
                    return Changed([.. identity, .. signer.SignData(secrets.Statement(HandshakeRole.Responder, identity), HashAlgorithmName.SHA256)], random);
                });
                NotEstablished(initiator.Handle(changed), seed, round);
            }
        }
    }

    [Theory]
    [InlineData(5)]
    public void Noise_establishes_nothing(int seed)
    {
        var random = new Random(seed);
        using var handshake = new Handshake(One, Two);
        for (var round = 0; round < 5000; round++)
        {
            var noise = new byte[random.Next(0, 1400)];
            random.NextBytes(noise);
            if (noise.Length > 2)
                (noise[0], noise[1], noise[2]) = random.Next(2) == 0 ? ((byte)2, (byte)1, (byte)2) : ((byte)3, (byte)0xff, (byte)0xfe);
            NotEstablished(handshake.Initiator.Handle(noise), seed, round);
            NotEstablished(handshake.Responder.Handle(noise), seed, round);
            Assert.Null(HandshakeResponder.TryAnswer(Two.Node, Two, 1, noise, out _));
        }
        handshake.Complete();
    }

    private static void NotEstablished(HandshakeStep step, int seed, int round)
    {
        Assert.True(step.Outcome is HandshakeOutcome.Discarded or HandshakeOutcome.Refused, $"seed {seed}, round {round}: {step.Outcome}");
        Assert.NotEqual("", step.Why);
        Assert.True(step.Answer.IsEmpty);
        Assert.Null(step.Session);
    }

    /// <summary>Bits or bytes changed, cut, stretched, or a part copied elsewhere; never as it was.</summary>
    private static byte[] Changed(byte[] datagram, Random random)
    {
        while (true)
        {
            var copy = (byte[])datagram.Clone();
            switch (random.Next(5))
            {
                case 0:
                    copy[random.Next(copy.Length)] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    for (var i = random.Next(1, 9); i > 0; i--)
                        copy[random.Next(copy.Length)] = (byte)random.Next(256);
                    break;
                case 2:
                    copy = copy[..random.Next(copy.Length)];
                    break;
                case 3:
                    copy = [.. copy, .. new byte[random.Next(1, 20)]];
                    break;
                default:
                    copy.AsSpan(0, random.Next(1, copy.Length / 2)).CopyTo(copy.AsSpan(random.Next(copy.Length / 2)));
                    break;
            }
            if (!copy.AsSpan().SequenceEqual(datagram))
                return copy;
        }
    }
}
