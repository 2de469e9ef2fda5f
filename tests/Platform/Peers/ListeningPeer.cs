using System.Net;
using System.Net.Sockets;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Platform.Peers;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeFirmware.Platform.Tests.Peers;

/// <summary>A node's peer network that listens on loopback and serves as the test says.</summary>
internal sealed class ListeningPeer : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly Socket _listener;
    private readonly TlsPeerNetwork _network;

    public ListeningPeer(NodeId id, byte[] siteKey, Func<IPeerConversation, CancellationToken, Task>? serve = null)
        : this(id, new LabTrust(siteKey), serve)
    {
    }

    public ListeningPeer(NodeId id, IPeerTrust trust, Func<IPeerConversation, CancellationToken, Task>? serve = null)
    {
        _listener = TlsPeerNetwork.Listen(new IPEndPoint(IPAddress.Loopback, 0), NullLogger.Instance);
        _network = new TlsPeerNetwork(id, trust, _ => null, TimeProvider.System, Log);
        Accepting = _network.AcceptAsync(_listener, serve ?? EchoAsync, _stopping.Token);
    }

    public RecordingLog Log { get; } = new();

    public Task Accepting { get; }

    public IPEndPoint Address => (IPEndPoint)_listener.LocalEndPoint!;

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _listener.Dispose();
        _network.Dispose();
        _stopping.Dispose();
    }

    private static async Task EchoAsync(IPeerConversation conversation, CancellationToken cancel)
    {
        while (await conversation.ReceiveAsync(cancel) is { } frame)
            await conversation.SendAsync(frame.Type, frame.Body, cancel);
    }
}
