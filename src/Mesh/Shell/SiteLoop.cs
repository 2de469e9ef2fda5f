using System.Net;
using System.Threading.Channels;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Mesh.Site;
using EdgeFirmware.Mesh.Wire;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Mesh.Shell;

/// <summary>The one loop that owns the <see cref="SiteCore"/>: reads its inbox, stamps the instant, keeps what is to be kept, and only then lets
/// anybody know. Apart from the mesh's loop, since it waits for the disk.</summary>
public sealed class SiteLoop(
    SiteCore core, SiteIdentity identity, ISiteStore store, ISitePeers peers, Action<NodeEvent> events, TimeProvider time, ILogger log) : IDisposable
{
    private const int InboxMax = 512;

    /// <summary>Conversations that this node opens at a time; more come again.</summary>
    private const int OpenMax = 8;

    /// <summary>For a conversation, however slow the link: some tens of KB.</summary>
    private static readonly TimeSpan ExchangePatience = TimeSpan.FromSeconds(30);

    /// <summary>A clock that is set shows within it.</summary>
    private static readonly TimeSpan ClockInterval = TimeSpan.FromSeconds(30);

    private readonly Channel<Func<Instant, Action>> _inbox = Channel.CreateBounded<Func<Instant, Action>>(
        new BoundedChannelOptions(InboxMax) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
    private readonly HashSet<IPEndPoint> _contacting = [];
    private readonly CancellationTokenSource _stopping = new();
    private IReadOnlyList<MemberView>? _members;
    private bool _tickQueued;

    /// <summary>Told which gossip keys are accepted and sent with, at the start and at each change.</summary>
    public Action<IReadOnlyList<GossipKey>, uint>? KeysChanged { get; set; }

    /// <summary>Told, after conversations of nodes are judged again, that others are to do the same with what they serve.</summary>
    public Action? TrustChanged { get; set; }

    public async Task RunAsync(CancellationToken cancel)
    {
        identity.Unknown = signer => Post(now => core.SignerUnknown(signer, now));
        using var timer = time.CreateTimer(_ => Tick(), null, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        try
        {
            while (!cancel.IsCancellationRequested)
            {
                var item = await _inbox.Reader.ReadAsync(cancel);
                var now = Instant.Now(time);
                var done = item(now);
                if (Interlocked.Exchange(ref _members, null) is { } members)
                    core.MembersAre(members, now);
                core.Advance(time.GetUtcNow().ToUnixTimeMilliseconds(), now);
                await DrainAsync(now);
                done();
                var wait = Min(core.NextWakeup - Instant.Now(time), ClockInterval);
                timer.Change(wait > TimeSpan.Zero ? wait + TimeSpan.FromMilliseconds(1) : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // asked to stop
        }
        finally
        {
            await _stopping.CancelAsync();
        }
    }

    public void Dispose() => _stopping.Dispose();

    /// <summary>Without this node. Must be quick: only the latest counts.</summary>
    public void MembersAre(IReadOnlyList<MemberView> members)
    {
        Volatile.Write(ref _members, members);
        Tick();
    }

    /// <inheritdoc cref="SiteCore.StrangeDatagram"/>
    public void StrangeDatagram(IPEndPoint from) => Post(now => core.StrangeDatagram(from, now));

    /// <inheritdoc cref="SiteCore.CreateToken"/>
    public Task<EnrolmentToken?> CreateTokenAsync(TimeSpan validity) => QueryAsync(_ => core.CreateToken(validity));

    /// <inheritdoc cref="SiteCore.Revoke"/>
    public Task<string> RevokeAsync(string node) => QueryAsync(now => core.Revoke(node, now));

    /// <inheritdoc cref="SiteCore.ChangeKey"/>
    public Task<string> ChangeKeyAsync() => QueryAsync(now => core.ChangeKey(isUrgent: false, now));

    /// <summary>A member compares with this node.</summary>
    public Task ServeAsync(IPeerConversation conversation, CancellationToken cancel) =>
        ExchangeAsync(conversation, core.Converse(conversation.Peer, isOpener: false, conversation.MayOnlyRenew), cancel);

    /// <summary>A machine wants to become a member.</summary>
    public async Task ServeEnrolmentAsync(IPeerConversation conversation, CancellationToken cancel)
    {
        using var limit = Limit(cancel, out var deadline);
        using (deadline)
        {
            var offer = EnrolmentOffer.From(identity.View.Authority);
            await SendAsync(conversation, offer.Write(), limit.Token);
            if (await conversation.ReceiveAsync(limit.Token) is not { } frame)
                return;
            if (EnrolmentMessage.Read(frame.Type, frame.Body.Span) is not EnrolmentRequest request)
                throw new PeerException($"{conversation.Peer} sent no enrolment request");
            if (request.Node != conversation.Peer)
                throw new PeerException($"{conversation.Peer} asks for the certificate of {request.Node}");
            var own = identity.Own.RawData;
            var answer = await QueryAsync(now => core.Enrol(offer, request, own, now));
            await SendAsync(conversation, answer.Write(), limit.Token);
            await conversation.ReceiveAsync(limit.Token); // until it has read the answer and goes
        }
    }

    private async Task DrainAsync(Instant now)
    {
        var judgeAgain = false;
        UseKeys? keys = null;
        var contacts = new List<Contact>();
        while (core.Outbox.TryDequeue(out var action))
            switch (action)
            {
                case Keep keep:
                    await KeepAsync(keep);
                    break;
                case UseKeys use:
                    keys = use;
                    break;
                case JudgeAgain:
                    judgeAgain = true;
                    break;
                case Contact contact:
                    contacts.Add(contact);
                    break;
            }
        identity.ViewIs(core.View(now));
        if (judgeAgain)
        {
            peers.JudgeAgain();
            TrustChanged?.Invoke();
        }
        if (keys is not null)
            KeysChanged?.Invoke(keys.Keys, keys.SendWith);
        foreach (var contact in contacts)
            if (BeginContact(contact.Address))
                _ = ContactAsync(contact);
        while (core.Events.TryDequeue(out var happened))
        {
            MeshLog.Happened(log, happened.Subject, happened.Kind, happened.Why);
            events(happened);
        }
    }

    private async Task KeepAsync(Keep keep)
    {
        try
        {
            await store.KeepAsync(keep.File, keep.Content);
        }
        catch (StorageException error)
        {
            // What others have signed is learnt again after a restart; a token might be used twice, and only by who has it.
            MeshLog.SiteNotKept(log, keep.File, error.Message);
            events(new NodeEvent("disk-fault", keep.File.ToString(), error.Message));
        }
    }

    private async Task ContactAsync(Contact contact)
    {
        try
        {
            using var limit = Limit(_stopping.Token, out var deadline);
            using (deadline)
            {
                await using var conversation = await peers.OpenAsync(contact.Peer, contact.Address, ConversationKind.Site, limit.Token);
                var exchange = core.Converse(conversation.Peer, isOpener: true, conversation.MayOnlyRenew);
                await SiteTurns.SendAsync(conversation, await QueryAsync(exchange.Open), limit.Token);
                await ExchangeAsync(conversation, exchange, limit.Token);
            }
        }
        catch (Exception error) when (error is PeerException or OperationCanceledException)
        {
            MeshLog.NotCompared(log, contact.Peer?.Value ?? contact.Address.ToString(), error.Message);
        }
        finally
        {
            lock (_contacting)
                _contacting.Remove(contact.Address);
        }
    }

    private bool BeginContact(IPEndPoint address)
    {
        lock (_contacting)
            return _contacting.Count < OpenMax && _contacting.Add(address);
    }

    private async Task ExchangeAsync(IPeerConversation conversation, SiteExchange exchange, CancellationToken cancel)
    {
        using var limit = Limit(cancel, out var deadline);
        using (deadline)
            while (await SiteTurns.ReceiveAsync(conversation, limit.Token) is { } turn)
            {
                if (await QueryAsync(now => exchange.Answer(turn, now)) is not { } answer)
                    return;
                await SiteTurns.SendAsync(conversation, answer, limit.Token);
            }
    }

    private static ValueTask SendAsync(IPeerConversation conversation, (byte Type, byte[] Body) frame, CancellationToken cancel) =>
        conversation.SendAsync(frame.Type, frame.Body, cancel);

    private CancellationTokenSource Limit(CancellationToken cancel, out CancellationTokenSource deadline)
    {
        deadline = new CancellationTokenSource(ExchangePatience, time);
        return CancellationTokenSource.CreateLinkedTokenSource(cancel, deadline.Token);
    }

    private void Tick()
    {
        if (Interlocked.Exchange(ref _tickQueued, true))
            return;
        if (!_inbox.Writer.TryWrite(TickCame))
            Interlocked.Exchange(ref _tickQueued, false); // a full inbox turns the loop anyway
    }

    private Action TickCame(Instant now)
    {
        Interlocked.Exchange(ref _tickQueued, false);
        return static () => { };
    }

    /// <summary>Dropped when the inbox is full: what matters comes again.</summary>
    private void Post(Action<Instant> item) => _inbox.Writer.TryWrite(now =>
    {
        item(now);
        return static () => { };
    });

    private async Task<T> QueryAsync<T>(Func<Instant, T> query)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        await _inbox.Writer.WriteAsync(
            now =>
            {
                try
                {
                    var result = query(now);
                    return () => done.SetResult(result);
                }
                catch (PeerException error)
                {
                    return () => done.SetException(error);
                }
            }, _stopping.Token);
        return await done.Task.WaitAsync(_stopping.Token);
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
