using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Platform.Network;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Platform.Peers;

/// <summary>Conversations between nodes over TCP with mutual TLS 1.3. After the handshake each side sends a hello: kind of conversation and its
/// node ID, which has to be its certificate's.</summary>
public sealed class TlsPeerNetwork : IPeerNetwork, ISitePeers, IDisposable
{
    private const byte HelloFrame = 0;
    private const int InboundMax = 256;
    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Without file descriptors every accept fails at once, until some conversation ends.</summary>
    private static readonly TimeSpan AcceptPause = TimeSpan.FromMilliseconds(100);

    private readonly NodeId _self;
    private readonly Func<NodeId, IPEndPoint?> _locate;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly IPeerTrust? _trust;
    private readonly PeerTls? _tls;
    private readonly LabTrust? _lab;
    private readonly Lock _gate = new();
    private readonly HashSet<PeerConversation> _open = [];
    private int _inbound;

    /// <param name="trust"><c>null</c> for a machine that has no certificate yet and only enrols: it checks the other side afterwards.</param>
    /// <param name="locate">Where a member lives now; <c>null</c> when it is not known.</param>
    public TlsPeerNetwork(NodeId self, IPeerTrust? trust, Func<NodeId, IPEndPoint?> locate, TimeProvider time, ILogger log)
    {
        _self = self;
        _trust = trust;
        _tls = trust is null ? null : new PeerTls(trust);
        _locate = locate;
        _time = time;
        _log = log;
    }

    /// <summary>The lab profile.</summary>
    /// <param name="siteKey">32 bytes that every node has.</param>
    public TlsPeerNetwork(NodeId self, byte[] siteKey, Func<NodeId, IPEndPoint?> locate, TimeProvider time, ILogger log)
        : this(self, new LabTrust(siteKey), locate, time, log) => _lab = _trust as LabTrust;

    /// <summary>Conversations that are open live on.</summary>
    public void Dispose() => _lab?.Dispose();

    public void JudgeAgain()
    {
        PeerConversation[] open;
        lock (_gate)
            open = [.. _open];
        foreach (var conversation in open)
            if (!MayGoOn(conversation))
                conversation.Abandon();
    }

    public Task<IPeerConversation> OpenAsync(NodeId peer, ConversationKind kind, CancellationToken cancel) =>
        _locate(peer) is { } address ? OpenAsync(peer, address, kind, cancel) : throw new PeerException($"{peer} is no known member");

    public async Task<IPeerConversation> OpenAsync(NodeId? peer, IPEndPoint address, ConversationKind kind, CancellationToken cancel)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        Tune(socket);
        using var deadline = new CancellationTokenSource(HandshakeTimeout, _time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel, deadline.Token);
        var handshake = new Handshake(_trust);
        SslStream? stream = null;
        try
        {
            await socket.ConnectAsync(address, limit.Token);
            stream = new SslStream(new NetworkStream(socket, ownsSocket: false));
            await stream.AuthenticateAsClientAsync(handshake.AsClient(_tls?.Own), limit.Token);
            var greeting = new PeerConversation(socket, stream, peer ?? default, kind, _time, [], default);
            await greeting.SendAsync(HelloFrame, Hello(kind), limit.Token);
            var answer = await greeting.ReceiveAsync(limit.Token);
            if (answer is not { Type: HelloFrame } hello || !TryReadHello(hello.Body.Span, out _, out var who))
                throw new PeerException($"{address} answered no hello");
            if (peer is { } wanted && who != wanted)
                throw new PeerException($"{address} is {who}, not {wanted}");
            handshake.Check(kind, who);
            return Keep(new PeerConversation(socket, stream, who, kind, _time, handshake.Shown, handshake.Standing.Admission));
        }
        catch (Exception error) when (IsRefusal(error) || error is OperationCanceledException)
        {
            socket.Dispose();
            stream?.Dispose();
            cancel.ThrowIfCancellationRequested();
            throw error as PeerException ?? new PeerException($"{peer?.Value ?? "the node"} at {address}: {Explain(error, handshake)}", error);
        }
    }

    /// <summary>Listens on the address, which need not be up yet. Throws <see cref="SocketException"/> when it is in use.</summary>
    public static Socket Listen(IPEndPoint address, ILogger log) => FreeBind.Listen(address, InboundMax, log);

    /// <summary>Accepts conversations until cancelled. <paramref name="serve"/> owns each one for as long as it runs; a
    /// <see cref="PeerException"/> from it ends that conversation only.</summary>
    public async Task AcceptAsync(Socket listener, Func<IPeerConversation, CancellationToken, Task> serve, CancellationToken cancel)
    {
        var broken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        while (!cancel.IsCancellationRequested)
        {
            var accepting = listener.AcceptAsync(cancel).AsTask();
            if (await Task.WhenAny(accepting, broken.Task) == broken.Task)
                await broken.Task;
            Socket socket;
            try
            {
                socket = await accepting;
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                return;
            }
            catch (SocketException error)
            {
                PlatformLog.AcceptFailed(_log, error.Message);
                await Task.Delay(AcceptPause, _time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                continue;
            }
            if (Interlocked.Increment(ref _inbound) > InboundMax)
            {
                Interlocked.Decrement(ref _inbound);
                socket.Dispose();
                PlatformLog.PeerRefused(_log, "unknown", $"more than {InboundMax} conversations");
                continue;
            }
            _ = ServeAsync(socket, serve, broken, cancel);
        }
    }

    private async Task ServeAsync(
        Socket socket, Func<IPeerConversation, CancellationToken, Task> serve, TaskCompletionSource broken, CancellationToken cancel)
    {
        var from = socket.RemoteEndPoint?.ToString() ?? "unknown";
        try
        {
            await using var conversation = await GreetAsync(socket, cancel);
            await serve(conversation, cancel);
        }
        catch (PeerException error)
        {
            PlatformLog.PeerRefused(_log, from, error.Message);
        }
        catch (OperationCanceledException)
        {
            if (!cancel.IsCancellationRequested)
                PlatformLog.PeerRefused(_log, from, "no answer in time");
        }
        catch (Exception error)
        {
            broken.TrySetException(error); // a bug of ours: the accept loop ends with it
        }
        finally
        {
            socket.Dispose();
            Interlocked.Decrement(ref _inbound);
        }
    }

    private async Task<PeerConversation> GreetAsync(Socket socket, CancellationToken cancel)
    {
        Tune(socket);
        using var deadline = new CancellationTokenSource(HandshakeTimeout, _time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel, deadline.Token);
        var stream = new SslStream(new NetworkStream(socket, ownsSocket: false));
        var handshake = new Handshake(_trust);
        try
        {
            await stream.AuthenticateAsServerAsync(handshake.AsServer(_tls!.Own), limit.Token);
            // The claim in the hello is read before the conversation has a peer; until then it is nobody's.
            var greeting = new PeerConversation(socket, stream, default, default, _time, [], default);
            var frame = await greeting.ReceiveAsync(limit.Token);
            if (frame is not { Type: HelloFrame } hello || !TryReadHello(hello.Body.Span, out var kind, out var who))
                throw new PeerException("no hello");
            handshake.Check(kind, who);
            await greeting.SendAsync(HelloFrame, Hello(kind), limit.Token);
            return Keep(new PeerConversation(socket, stream, who, kind, _time, handshake.Shown, handshake.Standing.Admission));
        }
        catch (Exception error)
        {
            await stream.DisposeAsync(); // its memory is OpenSSL's, and strangers must not run it up
            cancel.ThrowIfCancellationRequested();
            if (error is OperationCanceledException)
                throw new PeerException("no handshake in time", error);
            if (IsRefusal(error) && error is not PeerException)
                throw new PeerException(Explain(error, handshake), error); // only here: of what serves, such an error is a bug
            throw;
        }
    }

    /// <summary>Small frames go at once, and a peer that vanished without a word is noticed within half a minute also by a side that only
    /// listens.</summary>
    private static void Tune(Socket socket)
    {
        socket.NoDelay = true;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 15);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 5);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
    }

    private byte[] Hello(ConversationKind kind) => [(byte)kind, .. Encoding.ASCII.GetBytes(_self.Value)];

    private static bool TryReadHello(ReadOnlySpan<byte> body, out ConversationKind kind, out NodeId who)
    {
        kind = body.Length > 0 ? (ConversationKind)body[0] : default;
        who = default;
        return body.Length > 1 && Enum.IsDefined(kind) && NodeId.TryParse(Encoding.ASCII.GetString(body[1..]), out who);
    }

    private PeerConversation Keep(PeerConversation conversation)
    {
        conversation.Ended = Forget;
        lock (_gate)
            _open.Add(conversation);
        if (MayGoOn(conversation))
            return conversation;
        // Shut out since its handshake, and not among those that were judged again: its hello may have taken a while.
        Forget(conversation);
        throw new PeerException($"{conversation.Peer} has been shut out meanwhile");
    }

    private void Forget(PeerConversation conversation)
    {
        lock (_gate)
            _open.Remove(conversation);
    }

    private bool MayGoOn(PeerConversation conversation) => _trust is null || conversation.PeerCertificate.Length == 0
        || _trust.Judge(conversation.PeerCertificate).Admission switch
        {
            PeerAdmission.Everything => true,
            PeerAdmission.Renewal => conversation.Kind == ConversationKind.Site,
            _ => false,
        };

    private static bool IsRefusal(Exception error) =>
        PeerConversation.IsLoss(error) || error is AuthenticationException or CryptographicException or PeerException;

    private static string Explain(Exception error, Handshake handshake) => error switch
    {
        AuthenticationException or CryptographicException => handshake.Explain(error),
        OperationCanceledException => "no answer in time",
        _ => error.Message,
    };
}
