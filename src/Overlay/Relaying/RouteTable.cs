using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Links;

namespace EdgeFirmware.Overlay.Relaying;

/// <summary>Which nodes are reached through which neighbours: a path vector (as BGP's, RFC 4271, 9.1.2). Each route names the nodes that it passes; one that passes this
/// node, or too many, is not believed, so that no loop lasts and nobody counts to infinity.</summary>
internal sealed class RouteTable(int self)
{
    /// <summary>Links to a destination. The hop limit of a datagram stops what a loop of a moment would carry round.</summary>
    public const int HopsMax = 8;

    public const int DestinationsMax = 1024;

    /// <summary>That one neighbour may tell of: one that invents nodes leaves half of the table to the others.</summary>
    public const int OfOneMax = DestinationsMax / 2;

    /// <summary>More than an answer takes over eight radio links.</summary>
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(5);

    private readonly Dictionary<int, Destination> _destinations = [];

    /// <summary>Counts changes.</summary>
    public int Version { get; private set; } = 1;

    /// <summary>Entries that were not taken: the table is full, or what they say cannot be.</summary>
    public long Unbelieved { get; private set; }

    /// <summary>Nodes that are reached through others, or directly.</summary>
    public IEnumerable<NodeId> Reached
    {
        get
        {
            foreach (var (handle, destination) in _destinations)
                if (Best(handle) is not null)
                    yield return destination.Id;
        }
    }

    /// <summary>A node is a neighbour over a link of that kind, or is no more (<c>null</c>). What it has told counts while it is.</summary>
    public void IsNeighbour(int node, NodeId id, LinkKind? kind)
    {
        if (!_destinations.TryGetValue(node, out var destination))
        {
            if (kind is null)
                return;
            _destinations.Add(node, destination = new Destination(id));
        }
        if (destination.Direct?.Kind == kind)
            return;
        destination.Direct = kind is { } now ? new Route(node, 0, now, []) { IsDirect = true } : null;
        Version++;
    }

    /// <summary>All that a neighbour has told is void: it has begun anew, or is shut out.</summary>
    public void Forget(int via)
    {
        foreach (var destination in _destinations.Values)
            if (destination.Remove(via))
                Version++;
    }

    /// <summary>What a neighbour tells.</summary>
    /// <returns>Whether it made sense to the end.</returns>
    public bool Take(int via, ReadOnlySpan<byte> message)
    {
        while (message.Length > 0)
        {
            if (!RouteEntry.TryRead(ref message, out var handle, out var id, out var hops, out var cost, out var kind, out var between))
                return false;
            if (handle == self || handle == via || Place(handle, id, via) is not { } destination)
            {
                Unbelieved++;
                continue;
            }
            var isPossible = hops > 0 && Array.IndexOf(between, self) < 0 && Array.IndexOf(between, via) < 0 && Array.IndexOf(between, handle) < 0;
            if (isPossible)
                destination.Put(new Route(via, cost, kind, between));
            else if (!destination.Remove(via))
                continue;
            Version++;
        }
        return true;
    }

    /// <summary>Whether that neighbour tells of a way.</summary>
    public bool Has(int to, int via)
    {
        if (_destinations.TryGetValue(to, out var destination) && LinkTo(via) is not null)
            foreach (var route in destination.Routes)
                if (route.Via == via)
                    return true;
        return false;
    }

    /// <summary>The route that counts; <c>null</c>: none.</summary>
    public Route? Best(int to)
    {
        if (!_destinations.TryGetValue(to, out var destination))
            return null;
        var best = destination.Direct;
        foreach (var route in destination.Routes)
            if (LinkTo(route.Via) is not null && (best is null || IsBetter(route, best)))
                best = route;
        return best;
    }

    /// <summary>A datagram of that node has come by that neighbour.</summary>
    public void CameBy(int node, int via, Instant now)
    {
        if (_destinations.TryGetValue(node, out var destination))
            (destination.LastVia, destination.LastAt) = (via, now);
    }

    /// <summary>The route for a datagram to that node: the one by which the node was last heard, if that was just now, or else the one that counts. So an answer goes
    /// back as the question came, and who tries another way has tried it both ways.</summary>
    public Route? Next(int to, Instant now)
    {
        if (_destinations.TryGetValue(to, out var destination) && destination.LastAt + AnswerTime > now)
        {
            if (destination.LastVia == to)
                return destination.Direct ?? Best(to);
            foreach (var route in destination.Routes)
                if (route.Via == destination.LastVia && LinkTo(route.Via) is not null)
                    return route;
        }
        return Best(to);
    }

    /// <summary>Ways through others, the best first.</summary>
    public List<Route> Relayed(int to, int countMax)
    {
        var found = new List<Route>();
        if (_destinations.TryGetValue(to, out var destination))
            foreach (var route in destination.Routes)
            {
                if (LinkTo(route.Via) is null)
                    continue;
                var at = 0;
                while (at < found.Count && !IsBetter(route, found[at]))
                    at++;
                if (at < countMax)
                    found.Insert(at, route);
                if (found.Count > countMax)
                    found.RemoveAt(countMax);
            }
        return found;
    }

    /// <summary>Of the slowest link on a route, the one to the neighbour with it.</summary>
    public LinkKind KindOf(Route route) => Route.Slower(route.Kind, LinkTo(route.Via)?.Kind ?? route.Kind);

    /// <summary>What a neighbour has to be told, as much as there is room for.</summary>
    /// <param name="told">What it was told so far; changed by what is written.</param>
    /// <param name="isAll">Nothing is left.</param>
    public int Tell(int neighbour, Told told, Span<byte> message, out bool isAll)
    {
        var length = 0;
        isAll = true;
        foreach (var (handle, destination) in _destinations)
        {
            if (handle == neighbour)
                continue;
            var route = Best(handle);
            if (route is not null && (route.Hops >= HopsMax || route.Passes(neighbour)))
                route = null;
            var print = route is null ? 0 : PrintOf(route);
            if (told.Of(handle) == print)
                continue;
            if (message.Length - length < RouteEntry.BytesMax)
            {
                isAll = false;
                break;
            }
            length += RouteEntry.Write(
                message[length..], handle, told.Knows(handle) ? null : destination.Id, route, route is null ? 0 : CostOf(route), route is null ? 0 : KindOf(route));
            told.Is(handle, print);
        }
        foreach (var handle in told.Reached())
            if (!_destinations.ContainsKey(handle) && message.Length - length >= RouteEntry.BytesMax)
            {
                length += RouteEntry.Write(message[length..], handle, null, null, 0, 0);
                told.Is(handle, 0);
            }
        return length;
    }

    private Destination? Place(int handle, NodeId id, int via)
    {
        var isKnown = _destinations.TryGetValue(handle, out var destination);
        if (id.Value.Length == 0)
            return destination;
        if (isKnown)
            return destination!.Id == id ? destination : null;
        var ofOne = 0;
        foreach (var other in _destinations.Values)
            if (other.Direct is null && other.Routes.Count > 0 && other.Routes[0].Via == via)
                ofOne++;
        if (ofOne >= OfOneMax || (_destinations.Count >= DestinationsMax && !MakeRoom()))
            return null;
        _destinations.Add(handle, destination = new Destination(id));
        return destination;
    }

    /// <summary>One that is not reached any more goes.</summary>
    private bool MakeRoom()
    {
        foreach (var (handle, destination) in _destinations)
            if (destination is { Direct: null, Routes.Count: 0 })
                return _destinations.Remove(handle);
        return false;
    }

    private Route? LinkTo(int neighbour) => _destinations.TryGetValue(neighbour, out var destination) ? destination.Direct : null;

    private int CostOf(Route route) => route.Cost + (LinkTo(route.Via) is { } link ? Route.CostOf(link.Kind) : 0);

    private bool IsBetter(Route route, Route than)
    {
        var (cost, other) = (CostOf(route), CostOf(than));
        return cost != other ? cost < other : route.Hops != than.Hops ? route.Hops < than.Hops : route.Via < than.Via;
    }

    /// <summary>FNV-1a; 0 is for what is not told.</summary>
    private long PrintOf(Route route)
    {
        var print = 14695981039346656037UL;
        void Add(int value) => print = (print ^ (uint)value) * 1099511628211UL;
        Add(CostOf(route) << 8 | (int)KindOf(route) << 4 | route.Hops);
        if (!route.IsDirect)
            Add(route.Via);
        foreach (var between in route.Between)
            Add(between);
        return (long)print | 1;
    }

    private sealed class Destination(NodeId id)
    {
        public NodeId Id => id;

        public Route? Direct { get; set; }

        /// <summary>The neighbour by which a datagram of it last came, and when.</summary>
        public int LastVia { get; set; }

        public Instant LastAt { get; set; } = new(long.MinValue / 2);

        public List<Route> Routes { get; } = [];

        public void Put(Route route)
        {
            Remove(route.Via);
            Routes.Add(route);
        }

        public bool Remove(int via)
        {
            for (var i = 0; i < Routes.Count; i++)
                if (Routes[i].Via == via)
                {
                    Routes.RemoveAt(i);
                    return true;
                }
            return false;
        }
    }
}
