using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Platform.Network.Links;
using EdgeFirmware.Platform.Tests.Peers;

namespace EdgeFirmware.Platform.Tests.Network.Links;

/// <summary>Something that came to a node.</summary>
internal sealed record Arrival(string Link, IPEndPoint From, string Text);

/// <summary>A namespace with links, and datagrams over them.</summary>
internal sealed class DatagramNode : IAsyncDisposable
{
    public const int Port = 61616;

    private readonly Channel<Arrival> _came = Channel.CreateUnbounded<Arrival>();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _receiving;
    private int _inside;

    public DatagramNode(Action<Socket, int>? bindToInterface = null)
    {
        Namespace = NodeNamespace.TryCreate()!;
        Datagrams = Namespace.Do(() => new LinkDatagrams(Port, Log, bindToInterface ?? LinkSocket.BindToInterface));
        _receiving = Datagrams.ReceiveAsync(Take, _stopping.Token);
    }

    public NodeNamespace Namespace { get; }

    public LinkDatagrams Datagrams { get; }

    public RecordingLog Log { get; } = new();

    /// <summary>As the kernel told of them last.</summary>
    public IReadOnlyList<KernelLink> Links { get; private set; } = [];

    /// <summary>Whether the handler was called while it was still busy.</summary>
    public bool WasCalledTwiceAtOnce { get; private set; }

    /// <summary>A cable between two nodes that carries.</summary>
    /// <param name="name">Of both ends.</param>
    /// <param name="addresses">With prefix; <c>{0}</c> is 1 here and 2 there.</param>
    public static async Task ConnectAsync(DatagramNode one, DatagramNode two, string name, params string[] addresses)
    {
        one.Namespace.Ip($"link add {name} type veth peer name {name} netns {two.Namespace.File}");
        one.Namespace.Ip($"link set {name} addrgenmode none");
        two.Namespace.Ip($"link set {name} addrgenmode none");
        one.Add(name, 1, addresses);
        two.Add(name, 2, addresses);
        one.Namespace.Ip($"link set {name} up");
        two.Namespace.Ip($"link set {name} up");
        await one.SettleAsync(name, addresses.Length);
        await two.SettleAsync(name, addresses.Length);
    }

    public async Task AddAsync(string name, int number, string address)
    {
        var before = Links.Single(one => one.Name == name).Addresses.Count;
        Add(name, number, address);
        await SettleAsync(name, before + 1);
    }

    public int IndexOf(string link) => Links.Single(one => one.Name == link).Index;

    public void Tell(IReadOnlyList<KernelLink> links) => Namespace.Do(() => Datagrams.LinksAre(Links = links));

    public bool Send(string link, string to, string text, int port = Port) =>
        Datagrams.Send(link.Length == 0 ? 0 : IndexOf(link), new IPEndPoint(IPAddress.Parse(to), port), Encoding.ASCII.GetBytes(text));

    public bool SendToNeighbours(string link, string text) => Datagrams.SendToNeighbours(IndexOf(link), Encoding.ASCII.GetBytes(text));

    public async Task<Arrival> NextAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(15));
        return await _came.Reader.ReadAsync(limit.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _receiving);
        Datagrams.Dispose();
        Namespace.Dispose();
        _stopping.Dispose();
    }

    private void Add(string name, int number, params string[] addresses)
    {
        foreach (var address in addresses)
            Namespace.Ip($"address add {string.Format(address, number)} dev {name}" + (address.Contains(':', StringComparison.Ordinal) ? " nodad" : ""));
    }

    /// <summary>Waits until the kernel has the link ready, and tells of all there are.</summary>
    private async Task SettleAsync(string name, int addresses)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(15));
        await using var pictures = new KernelLinkWatch(TimeProvider.System).WatchAsync(limit.Token).GetAsyncEnumerator();
        for (var next = Namespace.Do(() => pictures.MoveNextAsync().AsTask()); await next; next = pictures.MoveNextAsync().AsTask())
            if (pictures.Current.Any(one => one.Name == name && one.HasCarrier && one.Addresses.Count == addresses))
            {
                Tell(pictures.Current);
                return;
            }
    }

    private void Take(int link, IPEndPoint from, ReadOnlySpan<byte> datagram)
    {
        WasCalledTwiceAtOnce |= Interlocked.Increment(ref _inside) != 1;
        var name = Links.FirstOrDefault(one => one.Index == link)?.Name ?? link.ToString();
        _came.Writer.TryWrite(new Arrival(name, from, Encoding.ASCII.GetString(datagram)));
        Interlocked.Decrement(ref _inside);
    }
}
