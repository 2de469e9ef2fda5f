using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Overlay.Paths;
using EdgeFirmware.Overlay.Relaying;
using EdgeFirmware.Overlay.Sealing;

namespace EdgeFirmware.Overlay.Peers;

/// <summary>Datagrams that go through others. A relay has no keys to what is in them: it can pass them on, or drop them.</summary>
internal sealed partial class OverlayCore
{
    /// <summary>Others' datagrams go to a neighbour and nothing comes back: it is asked whether it is there.</summary>
    private static readonly TimeSpan AnswerUsual = TimeSpan.FromSeconds(1), AnswerOnRadio = TimeSpan.FromSeconds(3);

    private readonly Dictionary<int, RelayQueue> _queues = [];
    private readonly Dictionary<int, Peer> _byHandle = [];
    private readonly byte[] _relayed = new byte[PacketSeal.PlainBytesMax];
    private readonly byte[] _carried = new byte[PacketSeal.PlainBytesMax];
    private readonly int _handle = NodeHandle.Of(self);

    /// <summary>What waits to be passed on.</summary>
    internal IEnumerable<byte[]> Passing
    {
        get
        {
            foreach (var queue in _queues.Values)
                foreach (var relayed in queue.Passing)
                    yield return relayed;
        }
    }

    /// <summary>Puts a datagram that goes through others into one for the first of them.</summary>
    /// <returns><c>null</c>: it is dropped, since that one is not there.</returns>
    private (PathKey Path, int Length)? Carry(PathKey path, Span<byte> datagram, int length, Instant now)
    {
        if (path.IsRelayed)
        {
            if (length > RelayedHeader.InnerBytesMax || !_byHandle.TryGetValue(path.Via, out var via))
            {
                Counts.NoWay++;
                return null;
            }
            new RelayedHeader(RouteTable.HopsMax, path.To, _handle).Write(_carried);
            datagram[..length].CopyTo(_carried.AsSpan(RelayedHeader.Bytes));
            return Seal(via, _carried.AsSpan(0, RelayedHeader.Bytes + length), datagram, now);
        }
        if (_queues.TryGetValue(path.Link, out var queue))
            queue.Spend(length, now);
        return (path, length);
    }

    private (PathKey Path, int Length)? PollRelayed(Span<byte> datagram, Instant now)
    {
        foreach (var queue in _queues.Values)
            while (queue.TryTake(out var next, out var relayed, now))
                if (_byHandle.TryGetValue(next, out var peer) && Seal(peer, relayed, datagram, now) is { } sent)
                {
                    Counts.Relayed++;
                    Counts.RelayedBytes += relayed.Length;
                    return sent;
                }
        return null;
    }

    private (PathKey Path, int Length)? Seal(Peer next, ReadOnlySpan<byte> relayed, Span<byte> datagram, Instant now)
    {
        if (next is not { IsMet: true, SendingKeys: { } keys, Near.Direct: { } direct }
            || keys.Packets.Seal((byte)PacketType.Relayed, keys.PeerIndex, relayed, datagram) is not (> 0 and var length))
        {
            Counts.NoWay++;
            return null;
        }
        next.UsedAt = now;
        next.Near.UnansweredSince = Instant.Min(next.Near.UnansweredSince, now);
        if (next.Session.Paths.Count == 0)
            Spread(next, now);
        if (_queues.TryGetValue(direct.Link, out var queue))
            queue.Spend(length, now);
        return (direct, length);
    }

    /// <summary>A neighbour hands over a datagram, for this node or for another one.</summary>
    /// <param name="length">In <see cref="_relayed"/>.</param>
    private void HandleRelayed(Peer from, SealedSession keys, PathKey path, int length, Instant now)
    {
        if (path.IsRelayed || length < RelayedHeader.Bytes + 3 || (PacketType)_relayed[RelayedHeader.Bytes] is 0 or >= PacketType.Here)
        {
            Counts.Malformed++;
            return;
        }
        if (!from.IsOfThisRun(keys))
            return;
        if (from.Session.Paths.Count == 0)
        {
            WakeUp(from, now);
            Learn(from, path, now);
        }
        var header = RelayedHeader.Read(_relayed);
        if (header.From == _handle)
            Counts.Circling++;
        else if (header.To == _handle)
            Handle(PathKey.Through(from.Handle, header.From), _relayed.AsSpan(RelayedHeader.Bytes, length - RelayedHeader.Bytes), now);
        else
            PassOn(from, header, _relayed.AsSpan(0, length), now);
    }

    private void PassOn(Peer from, RelayedHeader header, Span<byte> relayed, Instant now)
    {
        if (!relays)
            Counts.NotRelaying++;
        else if (header.Hops <= 1 || header.From == header.To)
            Counts.Circling++;
        else if (_routes.Next(header.To, now) is not { } route || route.Via == from.Handle || !_byHandle.TryGetValue(route.Via, out var next) || next.Near.Direct is not { } direct)
            Counts.NoWay++;
        else
        {
            _routes.CameBy(header.From, from.Handle, now);
            (header with { Hops = (byte)(Math.Min(header.Hops, (byte)RouteTable.HopsMax) - 1) }).Write(relayed);
            if (!_queues.TryGetValue(direct.Link, out var queue))
                _queues.Add(direct.Link, queue = new RelayQueue(next.Near.Kind, now));
            if (!queue.TryPut(from.Handle, next.Handle, relayed.ToArray()))
                Counts.Crowded++;
        }
    }

    /// <summary>Ways to a peer through neighbours.</summary>
    private IEnumerable<(PathKey Key, string Name, LinkKind Kind, int Hops)> WaysThroughOthers(Peer peer)
    {
        // Where it is a neighbour itself one other way is kept ready.
        foreach (var route in _routes.Relayed(peer.Handle, peer.Near.Direct is null ? ThroughMax : 1))
            if (_byHandle.TryGetValue(route.Via, out var via))
                yield return (PathKey.Through(route.Via, peer.Handle), NameOf(via), _routes.KindOf(route), route.Hops);
        foreach (var handle in peer.Near.Through)
            if (!_routes.Has(peer.Handle, handle) && _byHandle.TryGetValue(handle, out var via) && via.Near.Direct is not null)
                yield return (PathKey.Through(handle, peer.Handle), NameOf(via), via.Near.Kind, 2);
    }

    private static string NameOf(Peer via) => $"via {via.Id.Name}";

    /// <summary>Ways through neighbours that are gone are not used any more; of others it is known how they are now.</summary>
    private void SpreadThroughOthers(Peer peer, Instant now)
    {
        foreach (var path in peer.Session.Paths.Where(static path => path.Key.IsRelayed).ToList())
            peer.Session.PathIs(path, IsThere(peer, path.Key.Via), now);
        foreach (var way in WaysThroughOthers(peer))
            if (peer.Session.Learn(way.Key, way.Name, way.Kind, now) is { } path)
            {
                path.Hops = way.Hops;
                if (path.Kind == way.Kind)
                    continue;
                peer.Session.Unlearn(way.Key, now); // another medium now, with another pace
                peer.Session.Learn(way.Key, way.Name, way.Kind, now);
            }
    }

    private bool IsThere(Peer peer, int via) =>
        _byHandle.TryGetValue(via, out var neighbour) && neighbour.Near.Direct is not null && (_routes.Has(peer.Handle, via) || peer.Near.Through.Contains(via));

    /// <summary>The peer was heard through a neighbour, so it may be met that way.</summary>
    private PeerPath? LearnThrough(Peer peer, PathKey path, Instant now)
    {
        if (path.To != peer.Handle || !_byHandle.TryGetValue(path.Via, out var via))
            return null;
        if (!_routes.Has(peer.Handle, path.Via))
            peer.Near.MetThrough(path.Via);
        foreach (var way in WaysThroughOthers(peer))
            if (way.Key == path)
                return peer.Session.Learn(path, way.Name, way.Kind, now);
        return peer.Session.Learn(path, NameOf(via), via.Near.Kind, now);
    }
}
