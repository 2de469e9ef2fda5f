using System.Security.Cryptography;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Overlay.Sealing;
using static EdgeFirmware.Overlay.Tests.Sealing.SmallSite;

namespace EdgeFirmware.Overlay.Tests.Sealing;

public sealed class HandshakeTests : BetweenTwoMembers
{
    [Fact]
    public void Three_datagrams_make_a_session_of_two_nodes_that_have_shown_their_certificates()
    {
        using var handshake = new Handshake(One, Two, expected: Two.Node);
        var (ones, twos) = handshake.Complete();
        Assert.Equal((Two.Node, Handshake.InitiatorIndex, Handshake.ResponderIndex), (ones.Peer, ones.OwnIndex, ones.PeerIndex));
        Assert.Equal((One.Node, Handshake.ResponderIndex, Handshake.InitiatorIndex), (twos.Peer, twos.OwnIndex, twos.PeerIndex));
        Assert.Equal(Two.Own.RawData, ones.PeerCertificate);
        Assert.Equal(One.Own.RawData, twos.PeerCertificate);
        Talk(ones, twos);
    }

    [Fact]
    public void Under_a_shared_key_who_a_peer_says_it_is_counts()
    {
        using var key = new SharedKey();
        using var handshake = new Handshake(Node(1), key, Node(2), key, expected: Node(2));
        var (ones, twos) = handshake.Complete();
        Assert.Equal((Node(2), Node(1)), (ones.Peer, twos.Peer));
        Talk(ones, twos);
    }

    [Fact]
    public void The_datagrams_have_the_sizes_that_the_layout_gives()
    {
        using var handshake = new Handshake(One, Two);
        handshake.Initiator.Handle(handshake.Second);
        Assert.Equal(68, handshake.First.Length);
        Assert.Equal([1, 1, 0x01, 0x02], handshake.First[..4]);
        Assert.Equal(69 + 1 + Two.Node.Value.Length + Two.Own.RawData.Length + 64 + 16, handshake.Second.Length);
        Assert.Equal([2, 0x01, 0x02, 0xff, 0xfe], handshake.Second[..5]);
        Assert.Equal(3 + 1 + One.Node.Value.Length + One.Own.RawData.Length + 64 + 16, handshake.Third.Length);
        Assert.Equal([3, 0xff, 0xfe], handshake.Third[..3]);
    }

    [Fact]
    public void The_longest_name_and_certificate_fit_into_a_datagram_and_one_byte_more_is_refused_by_its_owner()
    {
        var longest = NodeId.Parse($"{new string('n', 63)}/02:00:00:00:00:01");
        var fits = WithCertificateOf(HandshakeLayout.CertificateBytesMax, longest);
        using (var handshake = new Handshake(One, fits))
        {
            Assert.Equal(PacketSeal.PacketBytesMax, handshake.Second.Length);
            handshake.Complete();
        }
        var above = WithCertificateOf(HandshakeLayout.CertificateBytesMax + 1, longest);
        using var initiator = new HandshakeInitiator(One.Node, One, 1, null);
        Assert.Null(HandshakeResponder.TryAnswer(longest, above, 2, initiator.First.Span, out var why));
        Assert.Equal("this node's certificate has 1002 bytes; 1001 fit in a datagram", why);
    }

    [Fact]
    public void Each_handshake_has_keys_of_its_own()
    {
        using var before = new Handshake(One, Two);
        using var after = new Handshake(One, Two);
        var (ones, twos) = (before.Complete().Initiators, after.Complete().Responders);
        Assert.Equal(PacketOutcome.Forged, Open(twos, Seal(ones, [1])));
        Assert.NotEqual(before.First, after.First);
        Assert.NotEqual(before.Second, after.Second);
    }

    [Fact]
    public void When_an_answer_is_lost_the_same_question_gets_the_same_answer()
    {
        using var handshake = new Handshake(One, Two);
        Assert.True(handshake.Responder.HasAnswered(handshake.First));
        var again = handshake.Responder.Handle(handshake.First);
        Assert.Equal((HandshakeOutcome.Repeated, true), (again.Outcome, again.Answer.Span.SequenceEqual(handshake.Second)));
        var (ones, twos) = handshake.Complete();
        again = handshake.Initiator.Handle(handshake.Second);
        Assert.Equal((HandshakeOutcome.Repeated, true), (again.Outcome, again.Answer.Span.SequenceEqual(handshake.Third)));
        again = handshake.Responder.Handle(handshake.Third);
        Assert.Equal((HandshakeOutcome.Repeated, 0, null), (again.Outcome, again.Answer.Length, again.Session));
        Assert.Equal(HandshakeOutcome.Repeated, handshake.Responder.Handle(handshake.First).Outcome);
        Talk(ones, twos);
    }

    [Fact]
    public void Another_node_than_the_one_expected_is_refused()
    {
        using var handshake = new Handshake(One, Two, expected: Node(3));
        var step = handshake.Initiator.Handle(handshake.Second);
        Assert.Equal((HandshakeOutcome.Refused, $"{Node(2)} is there, not {Node(3)}"), (step.Outcome, step.Why));
        Assert.True(step.Answer.IsEmpty); // and does not learn who asked
        Assert.Empty(handshake.Third);
    }

    [Theory]
    [InlineData(PeerAdmission.Refused, "its certificate is revoked")]
    [InlineData(PeerAdmission.Renewal, "its certificate has expired")]
    public void A_node_that_is_not_admitted_to_everything_is_refused_by_either_side_with_the_reason(PeerAdmission admission, string why)
    {
        Site.Judges(Two.Node, admission, why);
        using var asked = new Handshake(One, Two);
        var step = asked.Initiator.Handle(asked.Second);
        Assert.Equal((HandshakeOutcome.Refused, $"{Two.Node}: {why}"), (step.Outcome, step.Why));
        using var asking = new Handshake(Two, One);
        step = asking.Responder.Handle(asking.Initiator.Handle(asking.Second).Answer.Span);
        Assert.Equal((HandshakeOutcome.Refused, $"{Two.Node}: {why}"), (step.Outcome, step.Why));
        Site.Judges(Two.Node, PeerAdmission.Everything, "");
        Assert.Equal(HandshakeOutcome.Established, asking.Responder.Handle(asking.Third).Outcome);
    }

    [Fact]
    public void A_node_of_another_site_is_refused()
    {
        using var elsewhere = new SmallSite();
        var stranger = elsewhere.Join(2);
        using var handshake = new Handshake(One, stranger);
        Assert.Equal($"{Node(2)}: its certificate is of another site", handshake.Initiator.Handle(handshake.Second).Why);
    }

    [Fact]
    public void A_member_with_another_members_name_is_refused()
    {
        using var handshake = new Handshake(One.Node, One, Node(3), Two);
        Assert.Equal($"it says that it is {Node(3)} and shows the certificate of {Node(2)}", handshake.Initiator.Handle(handshake.Second).Why);
    }

    [Fact]
    public void A_node_with_another_kind_of_key_shows_itself_to_nobody_and_is_believed_by_nobody()
    {
        var other = Site.Join(Node(9), ECCurve.NamedCurves.nistP384);
        using var initiator = new HandshakeInitiator(One.Node, One, 1, null);
        Assert.Null(HandshakeResponder.TryAnswer(other.Node, other, 2, initiator.First.Span, out var why));
        Assert.Equal("this node has no P-256 key to sign with", why);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var step = initiator.Handle(Impostor.Answer(initiator.First.Span, other.Node, other.Own.RawData, key));
        Assert.Equal((HandshakeOutcome.Refused, $"{Node(9)}: its certificate has no P-256 key"), (step.Outcome, step.Why));
    }

    [Fact]
    public void Another_version_is_not_answered()
    {
        using var initiator = new HandshakeInitiator(One.Node, One, 1, null);
        var first = initiator.First.ToArray();
        first[1] = 2;
        Assert.Null(HandshakeResponder.TryAnswer(Two.Node, Two, 2, first, out var why));
        Assert.Equal("it speaks version 2 of the handshake, this node 1", why);
    }

    private SmallSite.Member WithCertificateOf(int bytes, NodeId node)
    {
        // The signature in it is a byte or two longer or shorter each time.
        for (var padding = bytes / 2; ;)
        {
            var member = Site.Join(node, ECCurve.NamedCurves.nistP256, padding);
            if (member.Own.RawData.Length == bytes)
                return member;
            padding += bytes - member.Own.RawData.Length;
        }
    }

    private static void Talk(SealedSession ones, SealedSession twos)
    {
        for (byte i = 0; i < 10; i++)
        {
            Assert.Equal(PacketOutcome.Genuine, Open(twos, Seal(ones, [i])));
            Assert.Equal(PacketOutcome.Genuine, Open(ones, Seal(twos, [i])));
            Assert.Equal(PacketOutcome.Forged, Open(ones, Seal(ones, [i]))); // reflected
            Assert.Equal(PacketOutcome.Forged, Open(twos, Seal(twos, [i])));
        }
        ones.Dispose();
        twos.Dispose();
    }

    private static byte[] Seal(SealedSession session, byte[] plain)
    {
        var packet = new byte[plain.Length + PacketSeal.Overhead];
        return packet[..session.Packets.Seal(16, session.PeerIndex, plain, packet)];
    }

    private static PacketOutcome Open(SealedSession session, byte[] packet) => session.Packets.Open(packet, new byte[1232], out _);
}
