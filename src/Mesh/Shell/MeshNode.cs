using System.Collections.Concurrent;
using System.Net;
using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Engine;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Mesh.Advertisement;
using EdgeFirmware.Mesh.Membership;
using EdgeFirmware.Mesh.Negotiation;
using EdgeFirmware.Mesh.Placement;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Mesh.Shell;

/// <summary>The one loop that owns the mesh cores: reads its inbox, stamps the instant, calls the cores, does what they ask, re-arms one
/// timer, publishes a snapshot.</summary>
public sealed class MeshNode : IDisposable
{
    private const int InboxMax = 2048;
    private const int IntroducedMax = 64;

    /// <summary>Then timers get their turn, however much keeps coming in: a few milliseconds' worth.</summary>
    private const int ItemsATurn = 256;
    private static readonly TimeSpan MeasureInterval = TimeSpan.FromSeconds(1);

    /// <summary>Where data comes from changes slowly.</summary>
    private const int MeasuresASource = 10;

    /// <summary>What left must show in the forecast before more is sent after it.</summary>
    private static readonly TimeSpan ForesightReliefInterval = TimeSpan.FromMinutes(3);

    private readonly MeshNodeParts _parts;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Channel<Action<Instant>> _inbox = Channel.CreateBounded<Action<Instant>>(
        new BoundedChannelOptions(InboxMax) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
    private readonly SelfObservation _self;
    private readonly OfferPolicy _offers;
    private readonly NegotiationCore _negotiation;
    private readonly MembershipLoop? _membership;
    private readonly GossipPort? _gossip;
    private readonly Dictionary<Guid, TaskCompletionSource<Answer>> _waiting = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly ControlLinks _control;
    private readonly WorkQueue _work;

    /// <summary>Nodes met through others, which membership may not know yet.</summary>
    private readonly ConcurrentDictionary<NodeId, IPEndPoint> _introduced = [];

    /// <summary>Ends transfers that come in, by lease.</summary>
    private readonly Dictionary<Guid, CancellationTokenSource> _receiving = [];
    private Offer? _advertised;
    private readonly NodeId _id;
    private readonly IPEndPoint? _address;

    /// <summary>Round trips change without a word.</summary>
    private bool _viewsAreOld;
    private Instant _nextMeasure;
    private int _measures;
    private Instant _nextForesightRelief;
    private bool _tickQueued;
    private long _publishedVersion = -1;
    private volatile MeshSnapshot _snapshot = MeshSnapshot.Empty;

    /// <param name="self">This node.</param>
    /// <param name="gossip">The sealed datagram port, or <c>null</c> for a node on its own.</param>
    public MeshNode(NodeId self, MeshNodeParts parts, GossipPort? gossip, IPEndPoint? address, IReadOnlyList<IPEndPoint> seeds)
    {
        (_id, _address) = (self, address);
        _parts = parts;
        _time = parts.Time;
        _log = parts.Log;
        _gossip = gossip;
        _self = new SelfObservation(parts);
        var now = Instant.Now(_time);
        _offers = new OfferPolicy(parts.Profile.Offers, parts.Random, now);
        _nextMeasure = now;
        var timing = new NegotiationTiming
        {
            Placement = new PlacementRules { Balances = parts.Balances }, KeepsReady = parts.Profile != MembershipProfile.LowPower,
        };
        _negotiation = new NegotiationCore(self, parts.Records.Load(), gossip is not null, timing, parts.Random, now, parts.Records.LoadDraining());
        if (gossip is not null)
            _membership = new MembershipLoop(
                new MembershipCore(self, address!, seeds, parts.Profile, parts.Identity, parts.Random, now), gossip,
                new GossipStreams(parts.Network, _time, _log, _stopping.Token), Post, parts.Events, _log);
        _control = new ControlLinks(parts.Network, _time, _log, _stopping.Token);
        _work = new WorkQueue(parts.Host, parts.Records, _log, error => Post(_ => ExceptionDispatchInfo.Throw(error)), _stopping.Token);
    }

    public MeshSnapshot Snapshot => _snapshot;

    /// <summary>Where a node is reached: as membership knows, else as whoever introduced it said. Both tell a link-local address without its scope, which is of the
    /// node that uses it: a node that listens at such an address has one link for all of them.</summary>
    public IPEndPoint? AddressOf(NodeId node)
    {
        var told = _snapshot.Members.FirstOrDefault(member => member.Id == node)?.Address ?? _introduced.GetValueOrDefault(node);
        return told is { Address: { IsIPv6LinkLocal: true, ScopeId: 0 } address } && _address is { Address: { IsIPv6LinkLocal: true, ScopeId: var link } }
            ? new IPEndPoint(new IPAddress(address.GetAddressBytes(), link), told.Port)
            : told;
    }

    /// <summary>Called by the loop after each change of the records or members; must be quick and not throw.</summary>
    public event Action<MeshSnapshot>? Changed;

    /// <summary>Runs until cancelled; then says goodbye to the members.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        using var timer = _time.CreateTimer(_ => Tick(), null, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        // On its own: while datagrams keep coming, receiving one never waits.
        var receiving = _membership is null ? Task.CompletedTask
            : Task.Run(() => _membership.ReceiveAsync(item => _inbox.Writer.TryWrite(item), _stopping.Token), CancellationToken.None);
        try
        {
            while (!cancel.IsCancellationRequested)
            {
                var item = await _inbox.Reader.ReadAsync(cancel);
                var now = Instant.Now(_time);
                var done = 0;
                do
                    item(now);
                while (++done < ItemsATurn && _inbox.Reader.TryRead(out item!));
                Turn(now);
                var wait = NextWakeup - Instant.Now(_time);
                timer.Change(wait > TimeSpan.Zero ? wait + TimeSpan.FromMilliseconds(1) : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
                if (receiving.IsFaulted)
                    await receiving; // deaf to gossip: our own bug or a lost socket; the process ends and is restarted
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // asked to stop
        }
        finally
        {
            _membership?.Goodbye(Instant.Now(_time));
            await _stopping.CancelAsync();
        }
    }

    public void Dispose()
    {
        _stopping.Dispose();
        _gossip?.Dispose();
    }

    /// <summary>Runs a new workload on the best node of the site.</summary>
    public Task<Answer> DeployAsync(WorkloadSpec spec) => AskAsync((operation, now) => _negotiation.Deploy(operation, spec, now));

    public Task<Answer> MoveAsync(WorkloadId id, NodeId? to, string why) =>
        AskAsync((operation, now) => _negotiation.Move(operation, id, to, why, now));

    public Task<Answer> RemoveAsync(WorkloadId id, string why) => AskAsync((operation, now) => _negotiation.Remove(operation, id, why, now));

    /// <summary>Why a workload is where it is.</summary>
    public Task<Answer> ExplainAsync(WorkloadId id) => AskAsync((operation, now) => _negotiation.Explain(operation, id, now));

    /// <summary>Begins or ends draining; completes when that is on disk.</summary>
    public Task<Answer> DrainAsync(bool draining) => AskAsync((operation, now) => _negotiation.Drain(operation, draining, now));

    /// <summary>A peer opens a transfer under a lease.</summary>
    /// <returns><c>null</c> when there is no such lease for this peer.</returns>
    public Task<GrantedLease?> BeginReceivingAsync(Guid lease, NodeId from) => QueryAsync(now =>
    {
        if (_negotiation.BeginReceiving(lease, from, now) is not { } spec)
            return null;
        if (!_receiving.TryGetValue(lease, out var ending))
            _receiving.Add(lease, ending = new CancellationTokenSource());
        return new GrantedLease(spec, ending.Token, _negotiation.IsToHold(lease));
    });

    /// <summary>That transfer has ended.</summary>
    /// <returns>Whether the lease still stands; if not, what was prepared is to be thrown away.</returns>
    public Task<bool> ReceivedAsync(Guid lease, bool prepared) => QueryAsync(now =>
    {
        _receiving.Remove(lease);
        return _negotiation.Received(lease, prepared, now);
    });

    public ValueTask EngineIsAsync(EngineDescription? engine) => PostAsync(now =>
    {
        _self.Engine = engine;
        _nextMeasure = now;
    });

    public ValueTask CopyEndedAsync(WorkloadId id, bool finished, string why) => PostAsync(now =>
    {
        if (!finished)
            _self.Forecast.CopyEnded(id, now);
        _negotiation.CopyEnded(id, finished, why, now);
    });

    /// <inheritdoc cref="Wire.DatagramSeal.Use"/>
    public ValueTask UseGossipKeysAsync(IReadOnlyList<Wire.GossipKey> keys, uint sendWith) => PostAsync(_ => _gossip?.UseKeys(keys, sendWith));

    /// <summary>Completes when the loop has turned once more.</summary>
    public Task TurnAsync() => QueryAsync(_ => true);

    /// <summary>Serves one inbound control conversation.</summary>
    public Task ServeControlAsync(IPeerConversation conversation, CancellationToken cancel) =>
        ControlLinks.ServeAsync(
            conversation, (message, from) => PostAsync(now => _negotiation.Handle(message, from, now)),
            (why, from) => PostAsync(now => _negotiation.Unreadable(from, why, now)), cancel);

    /// <summary>Serves one inbound gossip conversation.</summary>
    public Task ServeGossipAsync(IPeerConversation conversation, CancellationToken cancel) => _membership is null
        ? Task.CompletedTask
        : GossipStreams.ServeAsync(conversation, message => QueryAsync(now => _membership.HandleStreamed(message, now)), cancel);

    private Instant NextWakeup =>
        Instant.Min(Instant.Min(_nextMeasure, _negotiation.NextWakeup), _membership?.Core.NextWakeup ?? Instant.Never);

    private void Turn(Instant now)
    {
        if (_nextMeasure <= now)
            Measure(now);
        _membership?.Core.Advance(now);
        var membersChanged = _membership?.Drain(now) ?? false;
        if (_membership is not null && (membersChanged || _viewsAreOld))
            _negotiation.MembersAre(_membership.Core.Members(now), now);
        while (_membership?.Core.Differing.TryDequeue(out var member) ?? false)
            _negotiation.RecordsDiffer(member, now);
        _negotiation.Advance(now);
        DrainNegotiation();
        if (_membership is not null)
            _membership.Core.RecordsHash = _negotiation.RecordsHash;
        Publish(now, membersChanged);
    }

    private void Measure(Instant now)
    {
        _nextMeasure = now + MeasureInterval;
        _viewsAreOld = true;
        if (_self.Measure(now))
            if (_self.Overload.IsOverloaded)
                MeshLog.Overloaded(_log, _self.Overload.Why);
            else
                MeshLog.Relieved(_log);
        _self.Draining = _negotiation.IsDraining;
        TellForesight();
        Advertise(_self.ToAnnounce(_negotiation.Promised), now);
        _negotiation.OwnOfferIs(_self.ToJudgeBy());
        if (_measures++ % MeasuresASource == 0)
            _negotiation.SourcesAre(_parts.Sources());
        if (_self.Overload.IsOverloaded)
            _negotiation.Relieve($"overloaded: {_self.Overload.Why}", now);
        else if (_self.Forecast.Overload.IsForeseen && _nextForesightRelief <= now)
        {
            _nextForesightRelief = now + ForesightReliefInterval;
            _negotiation.Relieve($"overload foreseen: {_self.Forecast.Overload.Why}", now);
        }
    }

    private void TellForesight()
    {
        var forecast = _self.Forecast;
        if (_self.Foresight.Overload)
            Tell("overload-foreseen", forecast.Overload.IsForeseen, _self.Overload.IsOverloaded ? "it is there" : forecast.Overload.Why, forecast.Figures);
        if (_self.Foresight.Failure)
            Tell("failure-foreseen", forecast.Failure.IsForeseen, forecast.Failure.Why, forecast.Figures);

        void Tell(string kind, bool begins, string why, IReadOnlyDictionary<string, double> figures)
        {
            var happened = new NodeEvent(begins ? kind : $"{kind}-over", _id.Value, begins || why.Length > 0 ? why : "it is not foreseen any more", figures);
            MeshLog.Happened(_log, happened.Subject, happened.Kind, happened.Why);
            _parts.Events(happened);
        }
    }

    /// <summary>A node on its own tells its own clients as often as it would tell the others.</summary>
    private void Advertise(Offer offer, Instant now)
    {
        _offers.Nodes = _snapshot.Members.Count + 1;
        if (!_offers.IsWorthSending(offer, OfferPolicy.EstimateBytes(offer), now))
            return;
        _advertised = offer with { Version = (_advertised?.Version ?? 0) + 1, Validity = _offers.Validity };
        _membership?.Core.Advertise(_advertised, now);
    }

    private void DrainNegotiation()
    {
        while (_negotiation.Outbox.TryDequeue(out var action))
            switch (action)
            {
                case SendTo send:
                    _control.Send(send.Peer, send.Message);
                    break;
                case Prepare prepare:
                    _control.Prepare(prepare.Peer);
                    break;
                case Introduce introduced:
                    if (_introduced.Count >= IntroducedMax)
                        _introduced.Clear();
                    _introduced[introduced.Peer] = introduced.Address;
                    break;
                case Save save:
                    _work.Save(save, fault => Post(now => _negotiation.Saved(save.Step, fault, now)));
                    break;
                case SaveDraining save:
                    _work.Save(save, fault => Post(now => _negotiation.Saved(save.Step, fault, now)));
                    break;
                case Work work:
                    _work.Do(work, (bytes, fault) => Post(now => _negotiation.Worked(work.Step, bytes, fault, now)));
                    break;
                case CancelWork cancel when _receiving.Remove(cancel.Step, out var receiving):
                    _ = receiving.CancelAsync();
                    break;
                case CancelWork cancel:
                    _work.Cancel(cancel.Step);
                    break;
                case Answer answer when _waiting.Remove(answer.Operation, out var waiting):
                    waiting.SetResult(answer);
                    break;
            }
        while (_negotiation.Events.TryDequeue(out var happened))
        {
            MeshLog.Happened(_log, happened.Subject, happened.Kind, happened.Why);
            _parts.Events(happened);
        }
    }

    private void Publish(Instant now, bool membersChanged)
    {
        var old = _snapshot;
        var recordsChanged = _negotiation.RecordsVersion != _publishedVersion || !old.Running.SetEquals(_negotiation.Running);
        _publishedVersion = _negotiation.RecordsVersion;
        _snapshot = new MeshSnapshot(
            membersChanged || _viewsAreOld || _membership is null ? _membership?.Core.Members(now) ?? [] : old.Members,
            recordsChanged ? _negotiation.KnownRecords.ToArray() : old.Records,
            recordsChanged ? _negotiation.Running.ToHashSet() : old.Running,
            _negotiation.OwnOffer, _self.Reading, _membership?.Counts ?? default, _membership?.Core.Reach ?? Reach.Whole)
        {
            Health = _self.Health, Advertised = _advertised, Evacuation = _negotiation.Evacuating, Forecast = _self.Forecast.View,
            ControlDropped = _negotiation.Dropped,
        };
        _viewsAreOld = false;
        if (recordsChanged || membersChanged)
            Changed?.Invoke(_snapshot);
    }

    private void Tick()
    {
        if (Interlocked.Exchange(ref _tickQueued, true))
            return;
        if (!_inbox.Writer.TryWrite(_ => Interlocked.Exchange(ref _tickQueued, false)))
            Interlocked.Exchange(ref _tickQueued, false); // a full inbox turns the loop anyway
    }

    private async Task<Answer> AskAsync(Action<Guid, Instant> command)
    {
        var done = new TaskCompletionSource<Answer>(TaskCreationOptions.RunContinuationsAsynchronously);
        await PostAsync(now =>
        {
            var operation = Guid.NewGuid();
            _waiting.Add(operation, done);
            command(operation, now);
        });
        return await done.Task.WaitAsync(_stopping.Token);
    }

    private async Task<T> QueryAsync<T>(Func<Instant, T> query)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        await PostAsync(now => done.SetResult(query(now)));
        return await done.Task.WaitAsync(_stopping.Token);
    }

    private ValueTask PostAsync(Action<Instant> item) => _inbox.Writer.WriteAsync(item, _stopping.Token);

    /// <summary>From work that has ended: waits for room off the loop when the inbox is full.</summary>
    private void Post(Action<Instant> item)
    {
        if (!_inbox.Writer.TryWrite(item))
            _ = PostAsync(item).AsTask();
    }
}
