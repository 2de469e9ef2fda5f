using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Overlay.Relaying;

namespace EdgeFirmware.Overlay.Tests.Relaying;

public sealed class RouteTableTests
{
    /// <summary>Nodes that tell each other without a network between, and links that come and go while what is told is under way.</summary>
    [Fact]
    public void Whatever_links_come_and_go_in_the_end_all_are_reached_by_the_fewest_links_and_no_way_is_a_loop()
    {
        for (var seed = 0; seed < 60; seed++)
        {
            var site = new Site(new Random(seed), 4 + seed % 20);
            for (var change = 0; change < 12; change++)
            {
                site.Change();
                site.Exchange(site.Random.Next(0, 60)); // before all is known the next thing happens
            }
            site.Exchange(int.MaxValue);
            site.Check(seed);
        }
    }

    [Fact]
    public void A_node_that_is_gone_is_forgotten_by_all_and_nobody_counts_to_infinity()
    {
        var site = new Site(new Random(1), 12);
        for (var i = 0; i < 60; i++)
            site.Change();
        site.Exchange(int.MaxValue);
        site.Isolate(0);
        Assert.InRange(site.Exchange(int.MaxValue), 1, 3000);
        site.Check(1);
    }

    [Fact]
    public void A_route_is_told_once_and_what_is_the_same_is_not_told_again()
    {
        var (table, told) = (new RouteTable(1), new Told());
        var message = new byte[1024];
        table.IsNeighbour(2, Id(2), LinkKind.Ethernet);
        table.IsNeighbour(3, Id(3), LinkKind.Ethernet);
        var first = table.Tell(2, told, message, out var isAll);
        Assert.True(isAll);
        Assert.Equal(0, table.Tell(2, told, message, out _));
        table.IsNeighbour(3, Id(3), null);
        Assert.InRange(table.Tell(2, told, message, out _), 1, first - 5); // the handle is enough now
        table.IsNeighbour(3, Id(3), LinkKind.SixLowpan);
        Assert.Equal(1 + NodeHandle.Bytes + 1, table.Tell(2, told, message, out _));
    }

    [Fact]
    public void One_that_invents_nodes_leaves_half_of_the_table_to_others()
    {
        var table = new RouteTable(1);
        foreach (var neighbour in new[] { 2, 3 })
            table.IsNeighbour(neighbour, Id(neighbour), LinkKind.Ethernet);
        var entry = new byte[RouteEntry.BytesMax];
        for (var i = 0; i < 5000; i++)
            table.Take(2, entry.AsSpan(0, RouteEntry.Write(entry, 0, Id(10_000 + i), Direct(9), 1, LinkKind.Ethernet)));
        Assert.Equal(RouteTable.OfOneMax, table.Reached.Count() - 2);
        table.Take(3, entry.AsSpan(0, RouteEntry.Write(entry, 0, Id(7), Direct(9), 1, LinkKind.Ethernet)));
        Assert.Contains(Id(7), table.Reached);
        table.Forget(2);
        Assert.Equal(3, table.Reached.Count());
    }

    [Fact]
    public void Any_bytes_are_taken_without_harm()
    {
        var random = new Random(3);
        var (table, message) = (new RouteTable(1), new byte[200]);
        table.IsNeighbour(2, Id(2), LinkKind.Ethernet);
        table.IsNeighbour(3, Id(3), LinkKind.SixLowpan);
        for (var i = 0; i < 200_000; i++)
        {
            random.NextBytes(message);
            if (i % 2 == 0)
                RouteEntry.Write(message, 0, Id(random.Next(50)), Direct(random.Next(5)), random.Next(300), LinkKind.Wifi);
            table.Take(random.Next(2, 4), message.AsSpan(0, random.Next(message.Length)));
        }
        Assert.All(table.Reached.ToList(), id => Assert.InRange(table.Best(NodeHandle.Of(id))?.Hops ?? 1, 1, RouteTable.HopsMax));
    }

    private static Route Direct(int via) => new(via, 0, LinkKind.Ethernet, []) { IsDirect = true };

    private static NodeId Id(int number) => NodeId.Parse($"n{number}/02:00:00:00:{number >> 8 & 0xff:x2}:{number & 0xff:x2}");

    private sealed class Site
    {
        private readonly NodeId[] _ids;
        private readonly int[] _handles;
        private readonly RouteTable[] _tables;
        private readonly Dictionary<(int, int), Told> _told = [];
        private readonly Dictionary<(int, int), Queue<byte[]>> _underWay = [];
        private readonly HashSet<(int, int)> _links = [];

        public Site(Random random, int nodes)
        {
            Random = random;
            _ids = [.. Enumerable.Range(0, nodes).Select(Id)];
            _handles = [.. _ids.Select(NodeHandle.Of)];
            _tables = [.. _handles.Select(handle => new RouteTable(handle))];
        }

        public Random Random { get; }

        public void Change()
        {
            var (a, b) = (Random.Next(_ids.Length), Random.Next(_ids.Length));
            if (a != b)
                Set(a, b, !_links.Contains((a, b)));
        }

        public void Isolate(int node)
        {
            for (var other = 0; other < _ids.Length; other++)
                if (_links.Contains((node, other)))
                    Set(node, other, false);
        }

        /// <summary>One of the messages under way comes, or somebody tells another what is new; until nothing is, or so often.</summary>
        /// <returns>How often.</returns>
        public int Exchange(int times)
        {
            var count = 0;
            while (count < times)
            {
                var any = false;
                foreach (var (from, to) in _links.OrderBy(_ => Random.Next()).ToList())
                {
                    var queue = _underWay.TryGetValue((from, to), out var there) ? there : _underWay[(from, to)] = new Queue<byte[]>();
                    var told = _told.TryGetValue((from, to), out var known) ? known : _told[(from, to)] = new Told();
                    var message = new byte[300];
                    if (queue.Count == 0 && _tables[from].Tell(_handles[to], told, message, out _) is > 0 and var length)
                        queue.Enqueue(message[..length]);
                    if (!queue.TryDequeue(out var came))
                        continue;
                    Assert.True(_tables[to].Take(_handles[from], came));
                    any = true;
                    if (++count >= times)
                        return count;
                }
                if (!any)
                    break;
            }
            return count;
        }

        public void Check(int seed)
        {
            for (var from = 0; from < _ids.Length; from++)
            {
                var hops = Distances(from);
                for (var to = 0; to < _ids.Length; to++)
                {
                    if (to == from)
                        continue;
                    var best = _tables[from].Best(_handles[to]);
                    Assert.True((hops[to] <= RouteTable.HopsMax) == best is not null, $"seed {seed}: {from} to {to}: {hops[to]} links, {best?.Hops} known");
                    if (best is null)
                        continue;
                    Assert.Equal(hops[to], best.Hops);
                    var at = from;
                    for (var hop = 0; at != to; hop++)
                    {
                        Assert.True(hop < hops[to], "a loop");
                        at = Array.IndexOf(_handles, _tables[at].Best(_handles[to])!.Via);
                    }
                }
            }
        }

        private int[] Distances(int from)
        {
            var hops = Enumerable.Repeat(int.MaxValue, _ids.Length).ToArray();
            hops[from] = 0;
            for (var round = 0; round < _ids.Length; round++)
                foreach (var (a, b) in _links)
                    if (hops[a] < int.MaxValue && hops[a] + 1 < hops[b])
                        hops[b] = hops[a] + 1;
            return hops;
        }

        private void Set(int a, int b, bool isThere)
        {
            foreach (var (one, other) in new[] { (a, b), (b, a) })
            {
                if (isThere)
                    _links.Add((one, other));
                else
                    _links.Remove((one, other));
                _tables[one].IsNeighbour(_handles[other], _ids[other], isThere ? LinkKind.Ethernet : null);
            }
        }
    }
}
