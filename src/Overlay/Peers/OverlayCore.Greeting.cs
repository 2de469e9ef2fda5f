using System.Buffers.Binary;
using System.Net;
using System.Text;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Overlay.Paths;
using EdgeFirmware.Overlay.Sealing;

namespace EdgeFirmware.Overlay.Peers;

internal sealed partial class OverlayCore
{
    private const int RunBytes = 9;

    /// <summary>Handshakes that wait for their third datagram.</summary>
    private const int AnsweringMax = 64;

    /// <summary>Of them from one address: a board behind a gateway shares its address with the others there.</summary>
    private const int AnsweringOfOneMax = 8;

    /// <summary>Younger keys may not have come to the peer yet, and packets under the former ones may be on their way: no reason for others.</summary>
    private static readonly TimeSpan KeysAgeMin = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(10);

    /// <summary>A node says that it is here when a link comes up, to each that it had not heard of, and now and then.</summary>
    private static readonly TimeSpan ShoutUsual = TimeSpan.FromMinutes(1), ShoutOnRadio = TimeSpan.FromMinutes(5);

    private readonly Dictionary<ushort, Answering> _answering = [];
    private readonly Dictionary<int, Instant> _shoutAt = [];

    /// <summary>Links on which to tell all that this node is here, with <see cref="Here"/>.</summary>
    public Queue<int> Shouts { get; } = [];

    public byte[] Here { get; } = [(byte)PacketType.Here, .. Encoding.ASCII.GetBytes(self.Value)];

    /// <summary>A datagram has come.</summary>
    /// <param name="link">By which; 0: not known.</param>
    public void Handle(int link, IPEndPoint from, ReadOnlySpan<byte> datagram, Instant now)
    {
        Counts.Received++;
        var path = new PathKey(link != 0 ? link : LinkTo(from.Address), from);
        if (datagram.Length < 3)
        {
            Counts.Malformed++;
            return;
        }
        switch ((PacketType)datagram[0])
        {
            case PacketType.First:
                HandleFirst(path, datagram, now);
                break;
            case PacketType.Second:
                HandleSecond(path, datagram, now);
                break;
            case PacketType.Third:
                HandleThird(path, datagram, now);
                break;
            case PacketType.Frames or PacketType.Run:
                HandleSealed(path, datagram, now);
                break;
            case PacketType.Stranger:
                HandleStranger(path, BinaryPrimitives.ReadUInt16BigEndian(datagram[1..]), now);
                break;
            case PacketType.Here:
                HandleHere(path, datagram[1..], now);
                break;
            default:
                Counts.Malformed++;
                break;
        }
    }

    /// <summary>Certificates have been revoked: who would be refused now is heard no more.</summary>
    public void JudgeAgain()
    {
        foreach (var peer in _peers.Values.ToList())
            if (peer.Keys is { } keys && trust.Judge(keys.PeerCertificate).Admission != PeerAdmission.Everything)
            {
                foreach (var token in peer.Session.Undelivered)
                    Ended.Enqueue((token, false));
                foreach (var (index, owner) in _byIndex.ToList())
                    if (owner == peer)
                        _byIndex.Remove(index);
                peer.Dispose();
                _peers.Remove(peer.Id);
            }
    }

    private void Greet(Peer peer, Instant now)
    {
        if (peer.Greeting is null or { Third.Length: > 0 } && NewIndex() is { } index)
        {
            if (peer.KeysOf(peer.GreetingIndex) is null) // they are used until there are others
                Release(peer.GreetingIndex, peer);
            peer.Begin(new HandshakeInitiator(self, trust, index, peer.Id), index);
            _byIndex[index] = peer;
        }
        if (peer.Greeting is { } greeting)
            foreach (var (key, _, _) in Ways(peer))
                _letters.Enqueue((key, greeting.First.ToArray()));
        peer.Greeted(now);
    }

    private void HandleFirst(PathKey path, ReadOnlySpan<byte> datagram, Instant now)
    {
        foreach (var waiting in _answering.Values)
            if (waiting.Responder.HasAnswered(datagram))
            {
                _letters.Enqueue((path, waiting.Responder.Second.ToArray()));
                return;
            }
        if (_answering.Count >= AnsweringMax || _answering.Values.Count(waiting => waiting.From.Equals(path.Remote.Address)) >= AnsweringOfOneMax || NewIndex() is not { } index)
        {
            Counts.Limited++;
            return;
        }
        if (HandshakeResponder.TryAnswer(self, trust, index, datagram, out _) is not { } responder)
        {
            Counts.Refused++;
            return;
        }
        _answering.Add(index, new Answering(responder, path.Remote.Address, now));
        _letters.Enqueue((path, responder.Second.ToArray()));
    }

    private void HandleSecond(PathKey path, ReadOnlySpan<byte> datagram, Instant now)
    {
        var index = BinaryPrimitives.ReadUInt16BigEndian(datagram[1..]);
        if (!_byIndex.TryGetValue(index, out var peer) || peer.GreetingIndex != index || peer.Greeting is not { } greeting)
        {
            Counts.Strange++;
            return;
        }
        var step = greeting.Handle(datagram);
        if (step.Session is { } keys)
            Adopt(peer, keys, path, now); // with the run goes the third
        else if (step.Answer.Length > 0)
            _letters.Enqueue((path, step.Answer.ToArray()));
        else if (step.Outcome == HandshakeOutcome.Refused)
            Counts.Refused++;
    }

    private void HandleThird(PathKey path, ReadOnlySpan<byte> datagram, Instant now)
    {
        var index = BinaryPrimitives.ReadUInt16BigEndian(datagram[1..]);
        if (!_answering.TryGetValue(index, out var waiting))
            return; // once more: it has been agreed on
        var step = waiting.Responder.Handle(datagram);
        if (step.Outcome == HandshakeOutcome.Refused)
            Counts.Refused++;
        if (step.Session is not { } keys)
            return;
        _answering.Remove(index);
        waiting.Responder.Dispose();
        if (Find(keys.Peer) is { } peer)
            Adopt(peer, keys, path, now);
        else
            keys.Dispose();
    }

    /// <summary>Keys for the session with that peer, the one that is or a new one.</summary>
    private void Adopt(Peer peer, SealedSession keys, PathKey path, Instant now)
    {
        _byIndex[keys.OwnIndex] = peer;
        if (peer.Agree(keys, now) is { } gone)
        {
            Release(gone.OwnIndex, peer);
            gone.Dispose();
        }
        peer.Learn(path.Remote, path.Link);
        peer.StopWanting();
        peer.UsedAt = now;
        peer.CutOffSince = Instant.Never; // by these keys it may be reached: no others before they had time for it
    }

    private void HandleSealed(PathKey path, ReadOnlySpan<byte> datagram, Instant now)
    {
        var index = BinaryPrimitives.ReadUInt16BigEndian(datagram[1..]);
        if (!_byIndex.TryGetValue(index, out var peer) || peer.KeysOf(index) is not { } keys)
        {
            Counts.Strange++;
            if (datagram.Length > PacketSeal.Overhead)
                _letters.Enqueue((path, [(byte)PacketType.Stranger, datagram[1], datagram[2]]));
            return;
        }
        var outcome = keys.Packets.Open(datagram, _plain, out var length);
        Count(outcome);
        if (outcome != PacketOutcome.Genuine)
            return;
        if ((PacketType)datagram[0] == PacketType.Run)
            HandleRun(peer, keys, path, _plain.AsSpan(0, length), now);
        else if (peer.IsOfThisRun(keys))
        {
            if (peer.Session.Paths.Count == 0)
                peer.UsedAt = now - IdleAfter + Nap; // no more than it takes to say what wakes it up
            Hear(peer, path, length, now);
        }
    }

    private void Hear(Peer peer, PathKey path, int length, Instant now)
    {
        if (peer.Session.Learn(path, NameOf(path), KindOf(path), now) is { } known)
        {
            peer.Session.Handle(known, _plain.AsSpan(0, length), now);
            if (peer.Session.Inbox.Count > 0)
                peer.UsedAt = now;
            Report(peer);
        }
    }

    private void HandleRun(Peer peer, SealedSession keys, PathKey path, ReadOnlySpan<byte> plain, Instant now)
    {
        if (plain.Length != RunBytes)
        {
            Counts.Malformed++;
            return;
        }
        if (peer.RunIs(BinaryPrimitives.ReadUInt64BigEndian(plain), keys) is { } ended)
            foreach (var token in ended.Undelivered)
                Ended.Enqueue((token, false));
        if (plain[8] != 0)
            TellRun(keys, path, wants: false);
        else
            peer.RunIsTold(keys);
        peer.Session.Learn(path, NameOf(path), KindOf(path), now)?.Met(now);
        Spread(peer, now);
        peer.Session.Advance(now);
        Report(peer);
    }

    /// <summary>A peer does not know the session: it may have begun anew.</summary>
    private void HandleStranger(PathKey path, ushort index, Instant now)
    {
        foreach (var peer in _peers.Values)
            if (peer.Keys is { } keys && keys.PeerIndex == index && now - peer.AgreedAt >= KeysAgeMin && peer.Remotes.Any(remote => remote.Address.Equals(path.Remote)))
                peer.Want(now);
    }

    private void HandleHere(PathKey path, ReadOnlySpan<byte> text, Instant now)
    {
        if (text.Length > NodeId.LengthMax || !Ascii.IsValid(text) || !NodeId.TryParse(Encoding.ASCII.GetString(text), out var node) || node == self)
        {
            Counts.Malformed++;
            return;
        }
        var isKnown = _peers.ContainsKey(node);
        Learn(node, path.Remote, path.Link, now);
        // Who has just come hears of this node at once.
        if (!isKnown && path.Link != 0)
            _shoutAt[path.Link] = now;
    }

    private void Shout(Instant now)
    {
        foreach (var link in _links)
            if (_shoutAt.TryGetValue(link.Index, out var at) && at <= now)
            {
                Shouts.Enqueue(link.Index);
                var usual = link.Kind == LinkKind.SixLowpan ? ShoutOnRadio : ShoutUsual;
                _shoutAt[link.Index] = now + usual * (0.75 + random.NextDouble() / 2);
            }
        foreach (var index in _shoutAt.Keys)
            if (!_links.Any(link => link.Index == index && IsUsable(link)))
                _shoutAt.Remove(index);
    }

    private void DropStale(Instant now)
    {
        foreach (var (index, waiting) in _answering)
            if (now - waiting.Since >= AnswerPatience)
            {
                waiting.Responder.Dispose();
                _answering.Remove(index);
            }
    }

    private void Count(PacketOutcome outcome)
    {
        switch (outcome)
        {
            case PacketOutcome.Malformed: Counts.Malformed++; break;
            case PacketOutcome.Forged or PacketOutcome.WornOut: Counts.Forged++; break;
            case PacketOutcome.Replayed: Counts.Replayed++; break;
        }
    }

    private void Release(ushort index, Peer peer)
    {
        if (_byIndex.TryGetValue(index, out var owner) && owner == peer)
            _byIndex.Remove(index);
    }

    /// <summary>A link has its socket a moment later than its first datagrams.</summary>
    private int LinkTo(IPAddress remote)
    {
        foreach (var link in _links)
            if (IsUsable(link) && MayLeadTo(link, remote))
                return link.Index;
        return 0;
    }

    private string NameOf(PathKey path)
    {
        foreach (var link in _links)
            if (link.Index == path.Link)
                return link.Name;
        return "route";
    }

    private LinkKind KindOf(PathKey path)
    {
        foreach (var link in _links)
            if (link.Index == path.Link)
                return link.Kind;
        return LinkKind.Other;
    }

    /// <returns><c>null</c>: one of a few tries should have been free.</returns>
    private ushort? NewIndex()
    {
        for (var i = 0; i < 16; i++)
        {
            var index = (ushort)random.Next(1, ushort.MaxValue);
            if (!_byIndex.ContainsKey(index) && !_answering.ContainsKey(index))
                return index;
        }
        return null;
    }

    private sealed record Answering(HandshakeResponder Responder, IPAddress From, Instant Since);
}
