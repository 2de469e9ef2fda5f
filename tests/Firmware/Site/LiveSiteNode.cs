using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Firmware.Tests.Support;
using EdgeFirmware.Mesh.Shell;
using EdgeFirmware.Mesh.Site;
using EdgeFirmware.Mesh.Tests.Site;
using EdgeFirmware.Platform.Peers;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeFirmware.Firmware.Tests.Site;

/// <summary>The site's part of a node, on real TLS over loopback: identity, loop and conversations. A conversation of another kind is echoed.</summary>
internal sealed class LiveSiteNode : IAsyncDisposable, ISiteStore, ILogger
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly Socket _listener;
    private readonly Task _running;
    private IReadOnlyList<LiveSiteNode> _others = [];

    /// <param name="clock">What its wall clock says, milliseconds since 1970.</param>
    /// <param name="claims">Who it says it is; its certificate's node when <c>null</c>.</param>
    public LiveSiteNode(TestSite site, SiteStart start, long clock, NodeId? claims = null)
    {
        Self = claims ?? start.Self;
        var time = new ShiftedClock(DateTimeOffset.FromUnixTimeMilliseconds(clock));
        var core = new SiteCore(start, new Random(1), Instant.Now(time));
        Identity = new SiteIdentity(System.Security.Cryptography.ECDsa.Create(site.KeyOf(start.Self).ExportParameters(true)), core.View(Instant.Now(time)), time);
        Network = new TlsPeerNetwork(Self, Identity, id => _others.FirstOrDefault(other => other.Self == id)?.Address, time, this);
        _listener = TlsPeerNetwork.Listen(new IPEndPoint(IPAddress.Loopback, 0), NullLogger.Instance);
        Loop = new SiteLoop(core, Identity, this, Network, Events.Enqueue, time, NullLogger.Instance);
        _running = Task.WhenAll(Loop.RunAsync(_stopping.Token), Network.AcceptAsync(_listener, ServeAsync, _stopping.Token));
    }

    public NodeId Self { get; }

    public SiteIdentity Identity { get; }

    public TlsPeerNetwork Network { get; }

    public SiteLoop Loop { get; }

    public IPEndPoint Address => (IPEndPoint)_listener.LocalEndPoint!;

    public ConcurrentQueue<NodeEvent> Events { get; } = [];

    public ConcurrentQueue<string> Log { get; } = [];

    /// <summary>From now on these are alive: it compares with one of them at once, when it was alone.</summary>
    public void Meet(params LiveSiteNode[] others)
    {
        _others = others;
        Loop.MembersAre(others.Select(other => new MemberView(other.Self, other.Address, MemberStatus.Alive, 0, null, null, "")).ToList());
    }

    /// <summary>Looks until it is so.</summary>
    public static async Task UntilAsync(Func<bool> isSo, string what)
    {
        for (var deadline = DateTime.UtcNow.AddSeconds(20); !isSo(); await Task.Delay(5))
            Assert.True(DateTime.UtcNow < deadline, $"not within 20 s: {what}");
    }

    Task ISiteStore.KeepAsync(SiteFile file, byte[] content) => Task.CompletedTask;

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Log.Enqueue(formatter(state, exception));

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _listener.Dispose();
        Network.Dispose();
        Loop.Dispose();
        Identity.Dispose();
        _stopping.Dispose();
    }

    private async Task ServeAsync(IPeerConversation conversation, CancellationToken cancel)
    {
        if (conversation.Kind == ConversationKind.Site)
            await Loop.ServeAsync(conversation, cancel);
        else
            while (await conversation.ReceiveAsync(cancel) is { } frame)
                await conversation.SendAsync(frame.Type, frame.Body, cancel);
    }
}
