using System.Buffers.Binary;
using System.Net;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Overlay.Links;
using EdgeFirmware.Overlay.Paths;
using EdgeFirmware.Overlay.Sealing;

namespace EdgeFirmware.Overlay.Peers;

/// <summary>All other nodes that this one speaks with: where they are, who they are, and what is said. Knows no socket and no clock; keys and signatures are made
/// here.</summary>
/// <param name="relays">Passes on what others say to each other, and tells neighbours whom it reaches.</param>
/// <param name="run">Drawn anew at each start: by it a peer sees that what it had said before is not known here any more.</param>
internal sealed partial class OverlayCore(NodeId self, IPeerTrust trust, ulong run, Random random, bool relays = false) : IDisposable
{
    public const int PeersMax = 1024;

    /// <summary>For persons: the way that the kernel routes.</summary>
    private const string RouteName = "route";

    /// <summary>No way answers: other keys may be needed, or it is somewhere else now.</summary>
    private static readonly TimeSpan CutOffPatience = TimeSpan.FromSeconds(2);

    /// <summary>A session in which nothing was said for so long keeps its keys and costs no more packets.</summary>
    private static readonly TimeSpan IdleAfter = TimeSpan.FromMinutes(2);

    /// <summary>A ping of a peer that has not fallen asleep yet keeps a session awake only so long, or the two would keep each other awake.</summary>
    private static readonly TimeSpan Nap = TimeSpan.FromSeconds(1);

    private readonly Dictionary<NodeId, Peer> _peers = [];
    private readonly Dictionary<ushort, Peer> _byIndex = [];
    private readonly Queue<(PathKey Path, byte[] Datagram)> _letters = [];
    private readonly byte[] _plain = new byte[PacketSeal.PlainBytesMax];
    private IReadOnlyList<KernelLink> _links = [];

    /// <summary>Messages from others. Each is to be <see cref="Settle"/>d.</summary>
    public Queue<Incoming> Inbox { get; } = [];

    /// <summary>Messages of this node that came to an end.</summary>
    public Queue<(long Token, bool IsDelivered)> Ended { get; } = [];

    public Queue<NodeEvent> Events { get; } = [];

    /// <summary>Links that were left since a peer acknowledged nothing over them and answered over another.</summary>
    public Queue<int> Doubted { get; } = [];

    public OverlayCounts Counts { get; } = new();

    public IEnumerable<Peer> Peers => _peers.Values;

    /// <param name="token">In <see cref="Ended"/> when the peer has dealt with it, or has begun another run without.</param>
    /// <returns>Whether it was taken; otherwise there is too much for that peer already.</returns>
    public bool TrySend(NodeId to, byte lane, ReadOnlyMemory<byte> message, long token, Instant now)
    {
        if (Find(to) is not { } peer || !peer.Session.TrySend(lane, message, token))
            return false;
        Wake(peer, now);
        return true;
    }

    /// <summary>Nobody waits for it any more: it is not sent unless it has begun to be.</summary>
    public void Withdraw(NodeId to, byte lane, long token)
    {
        if (_peers.TryGetValue(to, out var peer))
            peer.Session.Withdraw(lane, token);
    }

    /// <summary>Something is to be said to it, and for a while no way has led there.</summary>
    public bool IsCutOff(NodeId node, Instant now) =>
        _peers.TryGetValue(node, out var peer) && !peer.Session.IsIdle && (peer.IsMet ? peer.CutOffSince + CutOffPatience <= now : peer.Session.Current is null);

    /// <summary>The message has been dealt with; those of a lane in order.</summary>
    public static void Settle(Incoming message, Instant now) => message.Session.Settle(message.Lane, now);

    /// <summary>A node may be met there.</summary>
    /// <param name="link">On which that is; 0: not known.</param>
    public void Learn(NodeId node, IPEndPoint address, int link, Instant now)
    {
        if (node == self || Find(node) is not { } peer)
            return;
        if (!peer.Learn(address, link, isProven: false))
            return;
        if (peer.IsMet && (peer.Session.Paths.Count > 0 || !peer.Session.IsIdle))
            Spread(peer, now);
        else if (peer.GreetAt != Instant.Never)
            peer.WantAtOnce(now);
    }

    /// <summary>The links as they are now.</summary>
    public void LinksAre(IReadOnlyList<KernelLink> links, Instant now)
    {
        var former = _links;
        _links = links;
        foreach (var peer in _peers.Values)
        {
            foreach (var link in former)
                if (!Has(links, link.Index))
                    foreach (var path in peer.Session.Paths.Where(path => path.Key.Link == link.Index).ToList())
                        peer.Session.Unlearn(path.Key, now);
            foreach (var link in links)
                peer.Session.LinkIs(link.Index, IsUsable(link), now);
            if (peer.IsMet && (peer.Session.Paths.Count > 0 || !peer.Session.IsIdle))
                Spread(peer, now);
            if (peer.GreetAt != Instant.Never)
                peer.WantAtOnce(now);
            peer.TellRunAtOnce(now);
            NearAfterLinks(peer, now);
        }
        foreach (var link in links)
            if (IsUsable(link))
                _shoutAt.TryAdd(link.Index, now);
        TendRoutes(now);
    }

    public Instant NextWakeup(Instant now)
    {
        var next = Instant.Never;
        foreach (var peer in _peers.Values)
        {
            next = Instant.Min(next, Instant.Min(Instant.Min(peer.GreetAt, peer.TellRunAt), NearWakeup(peer)));
            if (!peer.IsMet)
                continue;
            next = Instant.Min(next, Instant.Min(peer.Session.NextWakeup(now), peer.GreetAt == Instant.Never ? peer.CutOffSince + CutOffPatience : Instant.Never));
            if (peer.Session.Paths.Count > 0)
                next = Instant.Min(next, peer.UsedAt + IdleAfter);
        }
        foreach (var at in _shoutAt.Values)
            next = Instant.Min(next, at);
        foreach (var queue in _queues.Values)
            next = Instant.Min(next, queue.ReadyAt(now));
        return next;
    }

    public void Advance(Instant now)
    {
        foreach (var peer in _peers.Values)
        {
            peer.Session.Advance(now);
            Report(peer, now);
            Tend(peer, now);
            TendNear(peer, now);
        }
        TendRoutes(now);
        DropStale(now);
        Shout(now);
    }

    /// <summary>The next datagram to send.</summary>
    /// <param name="datagram">At least <see cref="PacketSeal.PacketBytesMax"/>.</param>
    /// <returns>Where to, and its length; <c>null</c>: nothing now.</returns>
    public (PathKey Path, int Length)? Poll(Span<byte> datagram, Instant now)
    {
        while (_letters.TryDequeue(out var letter))
        {
            letter.Datagram.CopyTo(datagram);
            if (Carry(letter.Path, datagram, letter.Datagram.Length, now) is { } sent)
                return sent;
        }
        foreach (var peer in _peers.Values)
            // Keys that are worn out seal nothing more: what was polled counts as lost, and goes out again under the next ones.
            while (peer is { IsMet: true, SendingKeys: { } keys } && peer.Session.Poll(_plain, now) is var (path, length)
                && keys.Packets.Seal((byte)PacketType.Frames, keys.PeerIndex, _plain.AsSpan(0, length), datagram) is > 0 and var size)
                if (Carry(path.Key, datagram, size, now) is { } sent)
                    return sent;
        return PollRelayed(datagram, now);
    }

    public void Dispose()
    {
        foreach (var peer in _peers.Values)
            peer.Dispose();
        foreach (var waiting in _answering.Values)
            waiting.Responder.Dispose();
    }

    /// <summary>What changes by itself: keys that wear out, a peer that is not reached, a run that has to be told.</summary>
    private void Tend(Peer peer, Instant now)
    {
        var isCutOff = peer is { IsMet: true, IsQuiet: false, Session.Current: null };
        peer.CutOffSince = isCutOff ? Instant.Min(peer.CutOffSince, now) : Instant.Never;
        if (peer.Keys?.Packets.IsDue == true || peer.CutOffSince + CutOffPatience <= now)
            peer.Want(now);
        if (peer is { IsMet: false, Session.IsIdle: true, Near.CourtsLeft: <= 0 })
            peer.StopWanting();
        if (peer.GreetAt <= now)
            Greet(peer, now);
        if (peer.TellRunAt <= now && peer.Keys is { } keys)
        {
            foreach (var (key, _, _) in Ways(peer))
            {
                if (peer.Greeting is { Third.Length: > 0 } greeting)
                    _letters.Enqueue((key, greeting.Third.ToArray()));
                TellRun(keys, key, wants: true);
            }
            peer.TellsRun(now);
        }
        if (!peer.IsQuiet)
            peer.UsedAt = now;
        else if (peer.Session.Paths.Count > 0 && now - peer.UsedAt >= IdleAfter)
            peer.Session.Sleep();
    }

    private void Report(Peer peer, Instant now)
    {
        while (peer.Session.Delivered.TryDequeue(out var token))
            End(peer, token, true);
        while (peer.Session.Switches.TryDequeue(out var change))
        {
            peer.HasSwitched(change.Why);
            Counts.Switches++;
            if (change is { HasStalled: true, From.Link: > 0 and var left })
                Doubted.Enqueue(left);
            Events.Enqueue(new NodeEvent("path-changed", peer.Id.Value, change.Why, null, new Dictionary<string, string>
            {
                ["from"] = change.FromLink ?? "none", ["to"] = change.ToLink ?? "none",
            }));
        }
        while (peer.Session.Inbox.TryDequeue(out var message))
            if (message.Lane == RoutesLane)
                HandleRoutes(peer, message.Body.Span, now);
            else
                Inbox.Enqueue(new Incoming(peer.Id, peer.Session, message.Lane, message.Body));
    }

    /// <summary>All ways that could lead to the peer are tried.</summary>
    private void Spread(Peer peer, Instant now)
    {
        if (peer.Session.Paths.Count == 0)
            peer.Near.WokenAt = now;
        var ways = Ways(peer).ToList();
        // Before the links were known the kernel's choice was all there was.
        foreach (var path in peer.Session.Paths.Where(path => path.Key.Link == 0 && ways.Exists(way => way.Key.Link != 0 && way.Key.Remote.Equals(path.Key.Remote))).ToList())
            peer.Session.Unlearn(path.Key, now);
        foreach (var way in ways)
            peer.Session.Learn(way.Key, way.Name, way.Kind, now);
        SpreadThroughOthers(peer, now);
    }

    private IEnumerable<(PathKey Key, string Name, LinkKind Kind)> Ways(Peer peer)
    {
        foreach (var remote in peer.Remotes)
        {
            var isOnLink = false;
            foreach (var link in _links)
                if (IsUsable(link) && (remote.Link == link.Index || (remote.Link == 0 && MayLeadTo(link, remote.Address.Address))))
                {
                    isOnLink = true;
                    yield return (new PathKey(link.Index, remote.Address), link.Name, link.Kind);
                }
            if (!isOnLink && remote.Link == 0)
                yield return (new PathKey(0, remote.Address), RouteName, LinkKind.Other);
        }
        foreach (var (key, name, kind, _) in WaysThroughOthers(peer))
            yield return (key, name, kind);
    }

    private static bool IsUsable(KernelLink link) => link is { IsUp: true, HasCarrier: true, Addresses.Count: > 0 };

    /// <summary>On the link itself, or behind its gateway.</summary>
    private static bool MayLeadTo(KernelLink link, IPAddress remote)
    {
        if (remote.IsIPv6LinkLocal)
            return remote.ScopeId == link.Index;
        foreach (var route in link.Routes)
            if (route.Family == remote.AddressFamily)
                return true;
        foreach (var own in link.Addresses)
            if (own.Address.AddressFamily == remote.AddressFamily && OnLink.Covers(own, remote))
                return true;
        return false;
    }

    private static bool Has(IReadOnlyList<KernelLink> links, int index)
    {
        foreach (var link in links)
            if (link.Index == index)
                return true;
        return false;
    }

    /// <returns><c>null</c>: there are too many.</returns>
    private Peer? Find(NodeId node)
    {
        if (_peers.TryGetValue(node, out var peer))
            return peer;
        if (node == self || (_peers.Count >= PeersMax && !DropHeard()))
            return null;
        _peers.Add(node, peer = new Peer(node));
        _byHandle.TryAdd(peer.Handle, peer);
        return peer;
    }

    /// <summary>Something is to be said: the ways are asked, and without keys, or when none answers, it is greeted anew.</summary>
    private void Wake(Peer peer, Instant now)
    {
        if (peer.Session.Current is not null)
            return;
        if (!peer.IsMet)
            peer.Want(now);
        else if (peer.Session.Paths.Count == 0)
            Spread(peer, now);
    }

    private void TellRun(SealedSession keys, PathKey path, bool wants)
    {
        Span<byte> plain = stackalloc byte[RunBytes];
        BinaryPrimitives.WriteUInt64BigEndian(plain, run);
        plain[8] = (byte)(wants ? 1 : 0);
        var datagram = new byte[plain.Length + PacketSeal.Overhead];
        if (keys.Packets.Seal((byte)PacketType.Run, keys.PeerIndex, plain, datagram) > 0)
            _letters.Enqueue((path, datagram));
    }
}
