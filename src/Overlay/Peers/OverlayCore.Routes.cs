using System.Net;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Overlay.Paths;
using EdgeFirmware.Overlay.Relaying;

namespace EdgeFirmware.Overlay.Peers;

/// <summary>Who is a neighbour, and who tells whom which nodes it reaches. Each is told what has changed, in a lane of the session with it: nothing is said twice, and
/// nothing while nothing changes.</summary>
internal sealed partial class OverlayCore
{
    /// <summary>The lane for what nodes tell each other of routes.</summary>
    internal const byte RoutesLane = 7;

    /// <summary>Neighbours that a relay meets by itself. One that is full is met by the others.</summary>
    private const int NeighboursMax = 64;

    /// <summary>Ways through others that are kept to a peer.</summary>
    private const int ThroughMax = 3;

    private const long RoutesToken = -1;

    /// <summary>Greetings to a neighbour that says it is here, and has not answered.</summary>
    private const int CourtsMax = 4;

    /// <summary>Between greetings to two neighbours: the first one may be a handshake of 14 frames.</summary>
    private static readonly TimeSpan CourtPause = TimeSpan.FromMilliseconds(50), CourtPauseOnRadio = TimeSpan.FromMilliseconds(500);

    /// <summary>Further ahead nobody is put down: who is there says so again.</summary>
    private static readonly TimeSpan CourtAhead = TimeSpan.FromSeconds(20);

    /// <summary>Time to answer after a sleep; on the radio for three pings.</summary>
    private static readonly TimeSpan WakeUsual = TimeSpan.FromSeconds(2), WakeOnRadio = TimeSpan.FromSeconds(6);

    /// <summary>A neighbour that has said nothing for so long is asked whether it is there.</summary>
    private static readonly TimeSpan LookAfter = TimeSpan.FromMinutes(15);

    private readonly RouteTable _routes = new(NodeHandle.Of(self));
    private readonly byte[] _told = new byte[1024];
    private int _spreadVersion;
    private Instant _courtNextAt;

    /// <summary>How soon, how often and how much a neighbour is told: on the radio no more than 160 bytes a second.</summary>
    private static (TimeSpan Hold, TimeSpan Pause, int BytesMax) TellPace(LinkKind kind) => kind switch
    {
        LinkKind.SixLowpan => (TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(3), 480),
        LinkKind.Cellular => (TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(3), 1024),
        _ => (TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(200), 1024),
    };

    /// <summary>A message of this node came to an end.</summary>
    private void End(Peer peer, long token, bool isDelivered)
    {
        if (token == RoutesToken)
            peer.Near.IsTelling = false;
        else
            Ended.Enqueue((token, isDelivered));
    }

    private void HandleRoutes(Peer peer, ReadOnlySpan<byte> message, Instant now)
    {
        if (!_routes.Take(peer.Handle, message))
            Counts.Malformed++;
        peer.Session.Settle(RoutesLane, now);
    }

    /// <summary>A node has said that it is here. A relay meets it, if others may want to reach it from another link, or from further away on the radio.</summary>
    private void Court(Peer peer, Instant now)
    {
        if (!relays || !IsBetween(peer))
            return;
        if (peer.IsMet)
        {
            if (peer.Near.Direct is null && peer.Session.Paths.Count == 0)
                Look(peer, now);
            return;
        }
        if (peer.Near.CourtAt != Instant.Never || peer.GreetAt != Instant.Never || _courtNextAt > now + CourtAhead || CountNeighbours() >= NeighboursMax)
            return;
        // Both have heard of each other: one of them begins.
        var patience = self.CompareTo(peer.Id) < 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(2);
        var at = now + patience > _courtNextAt ? now + patience : _courtNextAt;
        (peer.Near.CourtAt, peer.Near.CourtsLeft) = (at, CourtsMax);
        _courtNextAt = (_courtNextAt > now ? _courtNextAt : now) + (HasRadio() ? CourtPauseOnRadio : CourtPause) * (0.5 + random.NextDouble());
    }

    /// <summary>The mesh has seen a node there.</summary>
    public void IsThere(NodeId node, IPEndPoint address, Instant now)
    {
        if (node == self || !relays || (!_peers.ContainsKey(node) && !MakeRoomForHeard()))
            return;
        Learn(node, address, 0, now);
        if (_peers.TryGetValue(node, out var peer))
            Court(peer, now);
    }

    /// <summary>There is another link that something may be passed on to, or the same one leads further than all hear each other.</summary>
    private bool IsBetween(Peer peer)
    {
        var usable = 0;
        foreach (var link in _links)
            usable += IsUsable(link) ? 1 : 0;
        return peer.Remotes.Count > 0 && (usable > 1 || HasRadio());
    }

    private bool HasRadio()
    {
        foreach (var link in _links)
            if (link.Kind == LinkKind.SixLowpan && IsUsable(link))
                return true;
        return false;
    }

    private int CountNeighbours()
    {
        var count = 0;
        foreach (var peer in _peers.Values)
            count += peer.Near.Direct is not null || peer.Near.CourtsLeft > 0 ? 1 : 0;
        return count;
    }

    /// <summary>Asks all ways to a sleeping peer, for no longer than that takes.</summary>
    private void Look(Peer peer, Instant now)
    {
        Spread(peer, now);
        peer.UsedAt = now - IdleAfter + WakePatience(peer) + Nap;
        peer.Near.Heard(now); // asked: not again for a while
        if (peer.Session.Paths.Count == 0)
            peer.Near.Direct = null;
    }

    private static TimeSpan WakePatience(Peer peer) => peer.Near.Kind == LinkKind.SixLowpan ? WakeOnRadio : WakeUsual;

    private Instant NearWakeup(Peer peer)
    {
        var near = peer.Near;
        var next = Instant.Min(near.CourtAt, near.IsTelling ? Instant.Never : near.TellAt);
        if (near.Direct is null)
            return next;
        if (peer.Session.Paths.Count == 0)
            return relays ? Instant.Min(next, near.HeardAt + LookAfter) : next;
        if (DirectPath(peer) is null)
            next = Instant.Min(next, near.WokenAt + WakePatience(peer));
        return Instant.Min(next, near.UnansweredSince + (near.Kind == LinkKind.SixLowpan ? AnswerOnRadio : AnswerUsual));
    }

    /// <summary>The way to the peer with nobody between: the one in use, or the fastest.</summary>
    private static PeerPath? DirectPath(Peer peer)
    {
        PeerPath? direct = null;
        foreach (var path in peer.Session.Paths)
            if (!path.Key.IsRelayed && path == peer.Session.Current)
                return path;
            else if (!path.Key.IsRelayed && path.IsUsable && (direct is null || Route.CostOf(path.Kind) < Route.CostOf(direct.Kind)))
                direct = path;
        return direct;
    }

    /// <summary>Whether the peer is a neighbour.</summary>
    private void TendNear(Peer peer, Instant now)
    {
        var near = peer.Near;
        if (near.CourtAt <= now)
        {
            near.CourtAt = Instant.Never;
            if (!peer.IsMet)
                peer.Want(now);
        }
        if (DirectPath(peer) is { } direct)
            (near.Direct, near.Kind) = (direct.Key, direct.Kind);
        else if (peer.Session.Paths.Count > 0 && near.WokenAt + WakePatience(peer) <= now)
            near.Direct = null;
        if (near.Direct is not null)
        {
            near.CourtsLeft = 0;
            if (relays && peer.Session.Paths.Count == 0 && near.HeardAt + LookAfter <= now)
                Look(peer, now);
        }
        if (near.UnansweredSince + (near.Kind == LinkKind.SixLowpan ? AnswerOnRadio : AnswerUsual) <= now)
        {
            near.UnansweredSince = Instant.Never;
            DirectPath(peer)?.Doubt(now);
        }
        if (_byHandle.TryGetValue(peer.Handle, out var known) && known == peer)
            _routes.IsNeighbour(peer.Handle, peer.Id, near.Direct is null ? null : near.Kind);
    }

    /// <summary>A sleeping neighbour may be on a link that is no more.</summary>
    private void NearAfterLinks(Peer peer, Instant now)
    {
        if (peer.Near.Direct is { } direct && peer.Session.Paths.Count == 0 && direct.Link > 0)
        {
            var isUp = false;
            foreach (var link in _links)
                isUp |= link.Index == direct.Link && IsUsable(link);
            if (!isUp)
                Look(peer, now);
        }
        TendNear(peer, now);
        Court(peer, now);
    }

    /// <summary>What follows when routes have changed.</summary>
    private void TendRoutes(Instant now)
    {
        if (_spreadVersion != _routes.Version)
        {
            _spreadVersion = _routes.Version;
            foreach (var peer in _peers.Values)
            {
                if (peer.IsMet && (peer.Session.Paths.Count > 0 || !peer.Session.IsIdle))
                {
                    Spread(peer, now);
                    Report(peer, now);
                }
                var isThere = peer.GreetAt != Instant.Never && _routes.Relayed(peer.Handle, 1).Count > 0;
                if (isThere && !peer.Near.IsReachedThroughOthers)
                    peer.WantAtOnce(now);
                peer.Near.IsReachedThroughOthers = isThere;
            }
        }
        if (relays)
            foreach (var peer in _peers.Values)
                Tell(peer, now);
    }

    private void Tell(Peer peer, Instant now)
    {
        var near = peer.Near;
        if (!peer.IsMet || near.IsTelling || near.Direct is null || near.ToldVersion == _routes.Version)
        {
            near.TellAt = Instant.Never;
            return;
        }
        var pace = TellPace(near.Kind);
        if (near.TellAt == Instant.Never)
            near.TellAt = near.ToldAt + pace.Pause > now + pace.Hold ? near.ToldAt + pace.Pause : now + pace.Hold * (0.5 + random.NextDouble());
        if (near.TellAt > now)
            return;
        near.TellAt = Instant.Never;
        var length = _routes.Tell(peer.Handle, near.Told, _told.AsSpan(0, pace.BytesMax), out var isAll);
        if (isAll)
            near.ToldVersion = _routes.Version;
        if (length == 0 || !peer.Session.TrySend(RoutesLane, _told.AsMemory(0, length).ToArray(), RoutesToken))
            return;
        (near.IsTelling, near.ToldAt) = (true, now);
        Counts.ToldBytes += length;
        Wake(peer, now);
    }
}
