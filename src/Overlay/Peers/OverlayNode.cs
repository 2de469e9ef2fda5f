using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Threading.Channels;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Overlay.Sealing;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Overlay.Peers;

/// <summary>Messages to other nodes by their ID, over whatever link leads there. Owns the core of the overlay: one inbox, one timer, the sockets of the links, and the
/// picture for everybody else.</summary>
/// <param name="locate">Where the mesh has seen a node; <c>null</c> when it has not.</param>
/// <param name="serve">Deals with a message of a service; one whose task fails with <see cref="PeerException"/> counts as dealt with.</param>
public sealed class OverlayNode(
    NodeId self, IPeerTrust trust, OverlayOptions options, ILinkDatagrams sockets, Func<NodeId, IPAddress?> locate,
    Func<OverlayMessage, Task> serve, Action<NodeEvent> events, TimeProvider time, ILogger log) : IDisposable
{
    /// <summary>Of one message.</summary>
    public const int MessageBytesMax = 1 << 20;

    /// <summary>Datagrams and orders that wait; a datagram more is lost, as on the wire.</summary>
    private const int InboxMax = 4096;

    /// <summary>Taken from the inbox before it is looked what else is to be done: a flood keeps no timer waiting.</summary>
    private const int TurnMax = 256;

    private const string Stopped = "this node has ceased to speak with others";
    private const string Lost = "the peer has begun anew, or is shut out, before it dealt with it";

    private static readonly TimeSpan RetryFirst = TimeSpan.FromSeconds(1);

    private readonly OverlayCore _core = new(self, trust, BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)), new Random(), options.Relay);
    private readonly LoopInbox _inbox = new(InboxMax);
    private readonly Dictionary<long, Sending> _sending = [];
    private readonly Dictionary<(NodeId, OverlayPriority), Queue<Sending>> _waiting = [];
    private readonly ConcurrentQueue<OverlayConversation> _opened = [];
    private readonly ConcurrentQueue<Sending> _posted = [];
    private readonly List<OverlayConversation> _conversations = [];
    private readonly DealtQueue _dealt = new();
    private readonly byte[] _datagram = new byte[PacketSeal.PacketBytesMax];
    private IReadOnlyList<KernelLink> _links = [];
    private IReadOnlyList<KernelLink>? _linksNow;
    private volatile bool _isToJudge;
    private volatile bool _hasStopped;
    private long _lastToken;

    /// <summary>Told of a link that does not carry what it did, from the loop: must be quick.</summary>
    public Action<int>? Doubts { get; set; }

    /// <summary>The peers that were spoken with, and the ways to them.</summary>
    public Task<IReadOnlyList<OverlayPeerView>> ListAsync(CancellationToken cancel) => AskAsync(_core.Views, cancel);

    /// <summary>Nodes that are reached, whether spoken with or only told of by a neighbour.</summary>
    public Task<IReadOnlyList<NodeId>> ReachedAsync(CancellationToken cancel) => AskAsync(_core.Reached, cancel);

    /// <summary>The members of the mesh, and where they are: a relay meets those, too, that no link of its leads to at once. Thread safe.</summary>
    public void MembersAre(IReadOnlyList<MemberView> members) => _inbox.Writer.TryWrite(now =>
    {
        foreach (var member in members)
            if (member.Status == MemberStatus.Alive)
                _core.IsThere(member.Id, new IPEndPoint(member.Address.Address, options.Port), now);
    });

    public Task<OverlayFigures> CountAsync(CancellationToken cancel) => AskAsync(_core.Figures, cancel);

    /// <summary>Sends a message and waits until the peer has dealt with it. Messages of one priority come in the order in which they were sent, each once,
    /// whatever the links do meanwhile, as long as neither node begins anew.</summary>
    /// <param name="body">At most <see cref="MessageBytesMax"/>.</param>
    /// <exception cref="PeerException">The peer has begun anew, or is no longer of the site: it may have dealt with it or not.</exception>
    public async Task SendAsync(NodeId to, OverlayService service, OverlayPriority priority, ReadOnlyMemory<byte> body, CancellationToken cancel)
    {
        if (to == self)
            throw new PeerException("that is this node");
        ArgumentOutOfRangeException.ThrowIfGreaterThan(body.Length, MessageBytesMax);
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var sending = new Sending(to, priority, [(byte)service, .. body.Span], isDealtWith =>
        {
            if (isDealtWith)
                done.TrySetResult();
            else
                done.TrySetException(new PeerException(_hasStopped ? Stopped : Lost));
        }, null);
        try
        {
            await _inbox.Writer.WriteAsync(now => Send(sending, now), cancel);
            await done.Task.WaitAsync(cancel);
        }
        catch (OperationCanceledException)
        {
            _inbox.Writer.TryWrite(_ => Withdraw(sending));
            throw;
        }
        catch (ChannelClosedException)
        {
            throw new PeerException(Stopped);
        }
    }

    /// <summary>A conversation with a service of another node, reached or not. It costs nothing before something is posted, and is kept until it is over.</summary>
    public OverlayConversation Open(NodeId peer, OverlayService service)
    {
        if (peer == self)
            throw new PeerException("that is this node");
        var conversation = new OverlayConversation(this, peer, service);
        _opened.Enqueue(conversation);
        return conversation;
    }

    /// <summary>The links have changed, or may have. Thread safe.</summary>
    public void LinksAre(IReadOnlyList<KernelLink> links)
    {
        Volatile.Write(ref _linksNow, links);
        _inbox.Nudge();
    }

    /// <summary>Certificates have been revoked. Thread safe.</summary>
    public void JudgeAgain()
    {
        _isToJudge = true;
        _inbox.Nudge();
    }

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        using var timer = time.CreateTimer(_ => _inbox.Nudge(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        var receiving = _inbox.EndWithAsync(ReceiveAsync(stopping.Token), stopping.Token);
        try
        {
            while (true)
            {
                var item = await _inbox.Reader.ReadAsync(cancel);
                var now = Instant.Now(time);
                LookOutside(now);
                var left = TurnMax;
                do
                    item(now);
                while (--left > 0 && _inbox.Reader.TryRead(out item!));
                Turn(now, stopping.Token);
                timer.Change(LoopInbox.Wait(_core.NextWakeup(now), Instant.Now(time)), Timeout.InfiniteTimeSpan);
            }
        }
        finally
        {
            _inbox.Writer.TryComplete();
            await stopping.CancelAsync();
            await receiving;
            GiveUpAll();
        }
    }

    public void Dispose() => _core.Dispose();

    internal void Post(OverlayConversation conversation, OverlayPriority priority, ReadOnlyMemory<byte> body, Action<bool> ended)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(body.Length, MessageBytesMax);
        _posted.Enqueue(new Sending(conversation.Peer, priority, [(byte)conversation.Service, .. body.Span], ended, conversation));
        _inbox.Nudge();
        if (_hasStopped)
            GiveUpPosted();
    }

    private void LookOutside(Instant now)
    {
        if (Interlocked.Exchange(ref _linksNow, null) is { } links)
            LinksAre(links, now);
        while (_opened.TryDequeue(out var conversation))
            _conversations.Add(conversation);
        while (_posted.TryDequeue(out var sending))
            Send(sending, now);
        if (!_isToJudge)
            return;
        _isToJudge = false;
        _core.JudgeAgain();
    }

    private void Send(Sending sending, Instant now)
    {
        if (locate(sending.To) is { } address)
            _core.Learn(sending.To, new IPEndPoint(address, options.Port), 0, now);
        // What waits longer goes first.
        if (_waiting.TryGetValue((sending.To, sending.Priority), out var before))
            before.Enqueue(sending);
        else if (!TrySend(sending, now))
            _waiting.Add((sending.To, sending.Priority), new Queue<Sending>([sending])); // until something has been dealt with
    }

    private bool TrySend(Sending sending, Instant now)
    {
        if (sending.IsGone)
        {
            sending.End(false);
            return true;
        }
        sending.Token = ++_lastToken;
        if (!_core.TrySend(sending.To, (byte)sending.Priority, sending.Message, sending.Token, now))
            return false;
        _sending.Add(sending.Token, sending);
        return true;
    }

    private void SendWaiting(Instant now)
    {
        foreach (var (lane, waiting) in _waiting)
        {
            while (waiting.TryPeek(out var first) && TrySend(first, now))
                waiting.Dequeue();
            if (waiting.Count == 0)
                _waiting.Remove(lane);
        }
    }

    private void Withdraw(Sending sending)
    {
        sending.End(false);
        if (_sending.Remove(sending.Token))
            _core.Withdraw(sending.To, (byte)sending.Priority, sending.Token);
    }

    /// <summary>Nobody deals any more with what is in the inbox or under way.</summary>
    private void GiveUpAll()
    {
        while (_inbox.Reader.TryRead(out var item))
            item(Instant.Now(time));
        _hasStopped = true;
        foreach (var sending in _sending.Values.Concat(_waiting.Values.SelectMany(static waiting => waiting)))
            sending.End(false);
        GiveUpPosted();
    }

    private void GiveUpPosted()
    {
        while (_posted.TryDequeue(out var sending))
            sending.End(false);
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

    private void Turn(Instant now, CancellationToken cancel)
    {
        _core.Advance(now);
        while (_core.Inbox.TryDequeue(out var message))
            Deal(message, now, cancel);
        while (_core.Ended.TryDequeue(out var ended))
            End(ended.Token, ended.IsDelivered);
        SendWaiting(now);
        for (var i = _conversations.Count - 1; i >= 0; i--)
            if (_conversations[i].IsOver)
                _conversations.RemoveAt(i);
            else
                _conversations[i].IsCutOff = _core.IsCutOff(_conversations[i].Peer, now);
        while (_core.Shouts.TryDequeue(out var link))
            sockets.SendToNeighbours(link, _core.Here);
        while (_core.Poll(_datagram, now) is var (path, length))
        {
            _core.Counts.Sent++;
            sockets.Send(path.Link, path.Remote, _datagram.AsSpan(0, length));
        }
        while (_core.Doubted.TryDequeue(out var left))
            Doubts?.Invoke(left);
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
            _ = _inbox.EndWithAsync(DealAsync(message, begun, cancel), cancel);
        else
            Settle(begun, now);
    }

    private async Task DealAsync(Incoming message, object begun, CancellationToken cancel)
    {
        try
        {
            await serve(new OverlayMessage(message.Peer, (OverlayService)message.Body.Span[0], (OverlayPriority)message.Lane, message.Body[1..]));
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
        if (!_sending.Remove(token, out var sending))
            return;
        sending.End(isDelivered);
    }
}
