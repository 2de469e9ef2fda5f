using System.Net;
using System.Security.Cryptography;
using System.Threading.Channels;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Contracts.Overlay;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Overlay.Sealing;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Overlay.Peers;

/// <summary>Owns the core of the overlay: one inbox, one timer, the sockets of the links, and the picture for everybody else.</summary>
/// <param name="locate">Where the mesh has seen a node; <c>null</c> when it has not.</param>
/// <param name="serve">Deals with a message of a service; one whose task fails with <see cref="PeerException"/> counts as dealt with.</param>
public sealed class OverlayNode(
    NodeId self, IPeerTrust trust, OverlayOptions options, ILinkDatagrams sockets, Func<NodeId, IPAddress?> locate,
    Func<NodeId, OverlayService, ReadOnlyMemory<byte>, Task> serve, Action<NodeEvent> events, TimeProvider time, ILogger log) : IOverlay, IDisposable
{
    /// <summary>Datagrams and orders that wait; a datagram more is lost, as on the wire.</summary>
    private const int InboxMax = 4096;

    private static readonly TimeSpan RetryFirst = TimeSpan.FromSeconds(1);

    private readonly OverlayCore _core = new(self, trust, BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)), new Random());
    private readonly Channel<Action<Instant>> _inbox = Channel.CreateBounded<Action<Instant>>(InboxMax);
    private readonly Dictionary<long, TaskCompletionSource> _sending = [];
    private readonly Queue<Sending> _waiting = [];
    private readonly DealtQueue _dealt = new();
    private readonly byte[] _datagram = new byte[PacketSeal.PacketBytesMax];
    private IReadOnlyList<KernelLink> _links = [];
    private long _lastToken;

    public Task<IReadOnlyList<OverlayPeerView>> ListAsync(CancellationToken cancel) => AskAsync(_core.Views, cancel);

    public Task<OverlayFigures> CountAsync(CancellationToken cancel) => AskAsync(_core.Figures, cancel);

    public async Task SendAsync(NodeId to, OverlayService service, OverlayPriority priority, ReadOnlyMemory<byte> body, CancellationToken cancel)
    {
        if (to == self)
            throw new PeerException("that is this node");
        ArgumentOutOfRangeException.ThrowIfGreaterThan(body.Length, OverlayMessage.BytesMax);
        byte[] message = [(byte)service, .. body.Span];
        var sending = new Sending(to, (byte)priority, message, cancel);
        await _inbox.Writer.WriteAsync(now => Send(sending, now), cancel);
        try
        {
            await sending.Done.Task.WaitAsync(cancel);
        }
        catch (OperationCanceledException)
        {
            _inbox.Writer.TryWrite(_ => Withdraw(sending));
            throw;
        }
    }

    /// <summary>The links have changed, or may have. Thread safe.</summary>
    public void LinksAre(IReadOnlyList<KernelLink> links) => _inbox.Writer.TryWrite(now => LinksAre(links, now));

    /// <summary>Certificates have been revoked. Thread safe.</summary>
    public void JudgeAgain() => _inbox.Writer.TryWrite(_ => _core.JudgeAgain());

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        using var timer = time.CreateTimer(_ => _inbox.Writer.TryWrite(static _ => { }), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        var receiving = EndInboxAsync(ReceiveAsync(stopping.Token));
        try
        {
            while (true)
            {
                var item = await _inbox.Reader.ReadAsync(cancel);
                var now = Instant.Now(time);
                do
                    item(now);
                while (_inbox.Reader.TryRead(out item!));
                Turn(now, stopping.Token);
                timer.Change(Wait(_core.NextWakeup(now), Instant.Now(time)), Timeout.InfiniteTimeSpan);
            }
        }
        finally
        {
            await stopping.CancelAsync();
            await receiving;
        }
    }

    public void Dispose() => _core.Dispose();

    private void Send(Sending sending, Instant now)
    {
        if (sending.Cancel.IsCancellationRequested)
            return;
        if (locate(sending.To) is { } address)
            _core.Learn(sending.To, new IPEndPoint(address, options.Port), 0, now);
        sending.Token = ++_lastToken;
        if (_core.TrySend(sending.To, sending.Lane, sending.Message, sending.Token, now))
            _sending.Add(sending.Token, sending.Done);
        else
            _waiting.Enqueue(sending); // until something has been dealt with
    }

    private void Withdraw(Sending sending)
    {
        if (_sending.Remove(sending.Token))
            _core.Withdraw(sending.To, sending.Lane, sending.Token);
    }

    private void LinksAre(IReadOnlyList<KernelLink> links, Instant now)
    {
        if (links.SequenceEqual(_links))
            return;
        _links = links;
        sockets.LinksAre(links);
        _core.LinksAre(links, now);
    }

    /// <summary>By the loop, since the core is its own.</summary>
    private async Task<T> AskAsync<T>(Func<T> question, CancellationToken cancel)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        await _inbox.Writer.WriteAsync(_ => answer.TrySetResult(question()), cancel);
        return await answer.Task.WaitAsync(cancel);
    }

    private async Task ReceiveAsync(CancellationToken cancel)
    {
        while (true)
            try
            {
                await sockets.ReceiveAsync((link, from, datagram) =>
                {
                    var copy = datagram.ToArray();
                    _inbox.Writer.TryWrite(now => _core.Handle(link, from, copy, now));
                }, cancel);
            }
            catch (LinkException error)
            {
                OverlayLog.NotHeard(log, RetryFirst.TotalSeconds, error.Message);
                await Task.Delay(RetryFirst, time, cancel);
            }
    }

    /// <summary>A loop that hears nothing more must not go on: it ends with what ended its producer.</summary>
    private async Task EndInboxAsync(Task producer)
    {
        try
        {
            await producer;
        }
        catch (OperationCanceledException)
        {
            // asked to stop
        }
        catch (Exception bug)
        {
            _inbox.Writer.TryComplete(bug);
        }
    }

    private void Turn(Instant now, CancellationToken cancel)
    {
        _core.Advance(now);
        while (_core.Inbox.TryDequeue(out var message))
            Deal(message, now, cancel);
        while (_core.Ended.TryDequeue(out var ended))
            End(ended.Token, ended.IsDelivered);
        for (var left = _waiting.Count; left > 0; left--)
            Send(_waiting.Dequeue(), now);
        while (_core.Shouts.TryDequeue(out var link))
            sockets.SendToNeighbours(link, _core.Here);
        while (_core.Poll(_datagram, now) is var (path, length))
        {
            _core.Counts.Sent++;
            sockets.Send(path.Link, path.Remote, _datagram.AsSpan(0, length));
        }
        while (_core.Events.TryDequeue(out var happened))
        {
            OverlayLog.Happened(log, happened.Subject, happened.Kind, happened.Why);
            events(happened);
        }
    }

    private void Deal(Incoming message, Instant now, CancellationToken cancel)
    {
        var begun = _dealt.Begin(message);
        if (message.Body.Length > 0 && (OverlayService)message.Body.Span[0] != OverlayService.Echo)
            _ = EndInboxAsync(DealAsync(message, begun, cancel));
        else
            Settle(begun, now);
    }

    private async Task DealAsync(Incoming message, object begun, CancellationToken cancel)
    {
        try
        {
            await serve(message.Peer, (OverlayService)message.Body.Span[0], message.Body[1..]);
        }
        catch (PeerException error)
        {
            OverlayLog.NotServed(log, message.Peer, error.Message);
        }
        await _inbox.Writer.WriteAsync(now => Settle(begun, now), cancel);
    }

    private void Settle(object begun, Instant now)
    {
        foreach (var message in _dealt.Done(begun))
            OverlayCore.Settle(message, now);
    }

    private void End(long token, bool isDelivered)
    {
        if (!_sending.Remove(token, out var done))
            return;
        if (isDelivered)
            done.TrySetResult();
        else
            done.TrySetException(new PeerException("the peer has begun anew, or is shut out, before it dealt with it"));
    }

    private static TimeSpan Wait(Instant until, Instant now) =>
        until == Instant.Never ? Timeout.InfiniteTimeSpan : until > now ? until - now + TimeSpan.FromMilliseconds(1) : TimeSpan.Zero;

    /// <summary>A message whose sender waits.</summary>
    private sealed class Sending(NodeId to, byte lane, byte[] message, CancellationToken cancel)
    {
        public NodeId To => to;

        public byte Lane => lane;

        public byte[] Message => message;

        public CancellationToken Cancel => cancel;

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public long Token { get; set; }
    }
}
