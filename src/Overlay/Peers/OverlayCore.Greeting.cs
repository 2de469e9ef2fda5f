using System.Buffers.Binary;
using System.Net;
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
    private const int AnsweringMax = 128;

    /// <summary>Of them from one address: a board behind a gateway shares its address with the others there.</summary>
    private const int AnsweringOfOneMax = 8;

    /// <summary>Of them through one neighbour, who is of the site.</summary>
    private const int AnsweringOfRelayMax = 32;

    /// <summary>Younger keys may not have come to the peer yet, and packets under the former ones may be on their way: no reason for others.</summary>
    private static readonly TimeSpan KeysAgeMin = TimeSpan.FromSeconds(2);

    /// <summary>Times that one first datagram is answered: a node says it five times in <see cref="AnswerPatience"/>, over each way. The answer is nine times as long, and
    /// the sender's address may be another's.</summary>
    private const int AnswersMax = 16;

    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(10);

    private readonly Dictionary<ushort, Answering> _answering = [];

    /// <summary>A datagram has come.</summary>
    /// <param name="link">By which; 0: not known.</param>
    public void Handle(int link, IPEndPoint from, ReadOnlySpan<byte> datagram, Instant now)
    {
        Counts.Received++;
        Handle(new PathKey(link != 0 ? link : LinkTo(from.Address), from), datagram, now);
        TendRoutes(now);
    }

    private void Handle(PathKey path, ReadOnlySpan<byte> datagram, Instant now)
    {
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
            case PacketType.Frames or PacketType.Run or PacketType.Relayed:
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
                    End(peer, token, false);
                Remove(peer);
            }
    }

    private void Remove(Peer peer)
    {
        foreach (var (index, owner) in _byIndex.ToList())
            if (owner == peer)
                _byIndex.Remove(index);
        if (_byHandle.TryGetValue(peer.Handle, out var known) && known == peer)
        {
            _byHandle.Remove(peer.Handle);
            _routes.Forget(peer.Handle);
            _routes.IsNeighbour(peer.Handle, peer.Id, null);
        }
        peer.Dispose();
        _peers.Remove(peer.Id);
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
        peer.Near.CourtsLeft--;
    }

    private void HandleFirst(PathKey path, ReadOnlySpan<byte> datagram, Instant now)
    {
        foreach (var waiting in _answering.Values)
            if (waiting.Responder.HasAnswered(datagram))
            {
                if (++waiting.Answers <= AnswersMax)
                    _letters.Enqueue((path, waiting.Responder.Second.ToArray()));
                else
                    Counts.Limited++;
                return;
            }
        // Half of the places are for addresses at which a node is said to be: who invents addresses takes the others.
        if (_answering.Count >= (IsOfPeer(path) ? AnsweringMax : AnsweringMax / 2)
            || _answering.Values.Count(waiting => waiting.Via == path.Via && waiting.From.Equals(path.Remote.Address)) >= (path.IsRelayed ? AnsweringOfRelayMax : AnsweringOfOneMax)
            || NewIndex() is not { } index)
        {
            Counts.Limited++;
            return;
        }
        if (HandshakeResponder.TryAnswer(self, trust, index, datagram, out _) is not { } responder)
        {
            Counts.Refused++;
            return;
        }
        _answering.Add(index, new Answering(responder, path.Remote.Address, path.Via, now));
        _letters.Enqueue((path, responder.Second.ToArray()));
    }

    private bool IsOfPeer(PathKey path) => path.IsRelayed ? _routes.Best(path.To) is not null : _peers.Values.Any(peer => MayBeAt(peer, path));

    private static bool MayBeAt(Peer peer, PathKey path)
    {
        if (path.IsRelayed)
            return peer.Handle == path.To;
        foreach (var remote in peer.Remotes)
            if (remote.Address.Equals(path.Remote))
                return true;
        return false;
    }

    private void HandleSecond(PathKey path, ReadOnlySpan<byte> datagram, Instant now)
    {
        var index = BinaryPrimitives.ReadUInt16BigEndian(datagram[1..]);
        if (!_byIndex.TryGetValue(index, out var peer) || peer.GreetingIndex != index || peer.Greeting is not { } greeting)
        {
            Counts.Strange++;
            return;
        }
        if (!peer.TakeSecond())
        {
            Counts.Limited++;
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
        if (path.IsRelayed)
            peer.Near.MetThrough(path.Via);
        else
            peer.Learn(path.Remote, path.Link, isProven: true);
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
        var isRelayed = (PacketType)datagram[0] == PacketType.Relayed;
        var outcome = keys.Packets.Open(datagram, isRelayed ? _relayed : _plain, out var length);
        Count(outcome);
        if (outcome != PacketOutcome.Genuine)
            return;
        if (!path.IsRelayed)
            peer.Near.Heard(now);
        if (isRelayed)
            HandleRelayed(peer, keys, path, length, now);
        else if ((PacketType)datagram[0] == PacketType.Run)
            HandleRun(peer, keys, path, _plain.AsSpan(0, length), now);
        else if (peer.IsOfThisRun(keys))
        {
            WakeUp(peer, now);
            if (path.IsRelayed && peer.Session.Paths.Count == 0)
                Spread(peer, now); // it may have a better way
            Hear(peer, path, length, now);
        }
    }

    private void Hear(Peer peer, PathKey path, int length, Instant now)
    {
        if (Learn(peer, path, now) is { } known)
        {
            peer.Session.Handle(known, _plain.AsSpan(0, length), now);
            if (peer.Session.Inbox.Count > 0)
                peer.UsedAt = now;
            Report(peer, now);
            TendNear(peer, now);
        }
    }

    /// <summary>It was heard: for no longer than it takes to say what wakes it up.</summary>
    private static void WakeUp(Peer peer, Instant now)
    {
        if (peer.Session.Paths.Count == 0)
            (peer.UsedAt, peer.Near.WokenAt) = (now - IdleAfter + Nap, now);
    }

    private void HandleRun(Peer peer, SealedSession keys, PathKey path, ReadOnlySpan<byte> plain, Instant now)
    {
        if (plain.Length != RunBytes)
        {
            Counts.Malformed++;
            return;
        }
        if (peer.RunIs(BinaryPrimitives.ReadUInt64BigEndian(plain), keys) is { } ended)
        {
            foreach (var token in ended.Undelivered)
                End(peer, token, false);
            peer.Near.Restart();
            _routes.Forget(peer.Handle);
        }
        if (!peer.IsOfThisRun(keys))
            return; // held back from an earlier one
        if (plain[8] != 0)
            TellRun(keys, path, wants: false);
        else
            peer.RunIsTold(keys);
        Learn(peer, path, now)?.Met(now);
        Spread(peer, now);
        peer.Session.Advance(now);
        Report(peer, now);
        TendNear(peer, now);
    }

    /// <summary>A peer does not know the session: it may have begun anew.</summary>
    private void HandleStranger(PathKey path, ushort index, Instant now)
    {
        foreach (var peer in _peers.Values)
            if (peer.Keys is { } keys && keys.PeerIndex == index && now - peer.AgreedAt >= KeysAgeMin && MayBeAt(peer, path))
                peer.Want(now);
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

    /// <summary>The peer was heard there.</summary>
    private PeerPath? Learn(Peer peer, PathKey path, Instant now)
    {
        if (path.IsRelayed)
            return LearnThrough(peer, path, now);
        foreach (var link in _links)
            if (link.Index == path.Link)
                return peer.Session.Learn(path, link.Name, link.Kind, now);
        return peer.Session.Learn(path, RouteName, LinkKind.Other, now);
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

    private sealed record Answering(HandshakeResponder Responder, IPAddress From, int Via, Instant Since)
    {
        public int Answers { get; set; } = 1;
    }
}
