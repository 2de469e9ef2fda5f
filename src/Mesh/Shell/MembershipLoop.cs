using System.Net;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mesh.Membership;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Mesh.Shell;

/// <summary>Membership's share of the mesh loop: what the core wants sent goes out, what it has noticed is told. All of it runs on the loop but
/// what <see cref="GossipPort"/> and <see cref="GossipStreams"/> receive.</summary>
internal sealed class MembershipLoop(
    MembershipCore core, GossipPort gossip, GossipStreams streams, Action<Action<Instant>> post, Action<NodeEvent> events, ILogger log)
{
    private readonly Dictionary<NodeId, MemberStatus> _told = [];
    private static readonly TimeSpan DroppedInterval = TimeSpan.FromSeconds(10);

    private Reach _reach;
    private DatagramCounts _toldCounts;
    private Instant _nextDropped;

    public MembershipCore Core => core;

    public DatagramCounts Counts => gossip.Counts;

    /// <summary>Receives until cancelled.</summary>
    /// <param name="tryPost">A full inbox drops gossip, as a full socket buffer would.</param>
    public Task ReceiveAsync(Action<Action<Instant>> tryPost, CancellationToken cancel)
    {
        gossip.Refused = address => tryPost(now => core.Refused(address, now));
        return gossip.ReceiveAsync((datagram, from) => tryPost(now =>
        {
            if (gossip.Open(datagram, from) is { } message)
                core.Handle(message, from, now);
        }), cancel);
    }

    /// <summary>A message came over a stream: its answers go back over it.</summary>
    public IReadOnlyList<GossipMessage> HandleStreamed(GossipMessage message, Instant now)
    {
        Send();
        var stream = new IPEndPoint(IPAddress.None, 0);
        core.Handle(message, stream, now);
        var answers = new List<GossipMessage>();
        for (var left = core.Outbox.Count; left > 0; left--)
            if (core.Outbox.Dequeue() is var outgoing && ReferenceEquals(outgoing.To, stream))
                answers.Add(outgoing.Message);
            else
                core.Outbox.Enqueue(outgoing);
        return answers;
    }

    /// <returns>Whether what is known of members has changed.</returns>
    public bool Drain(Instant now)
    {
        Send();
        TellDropped(now);
        while (core.Faults.TryDequeue(out var fault))
            events(new NodeEvent("peer-fault", fault.Member.Value, fault.Why));
        if (core.Reach != _reach)
            TellReach();
        var changed = false;
        while (core.Changes.TryDequeue(out var change))
        {
            changed = true;
            if (_told.TryGetValue(change.Id, out var told) && told == change.Status)
                continue; // only what it offers has changed
            _told[change.Id] = change.Status;
            MeshLog.MemberChanged(log, change.Id, change.Address, change.Status, change.Why);
            events(new NodeEvent($"member-{change.Status.ToString().ToLowerInvariant()}", change.Id.Value, change.Why));
        }
        return changed;
    }

    public void Goodbye(Instant now)
    {
        core.Outbox.Clear();
        core.Leave(now);
        Send();
    }

    private void Send()
    {
        while (core.Outbox.TryDequeue(out var outgoing))
            if (outgoing.ByStreamTo is { } peer)
                streams.Send(peer, outgoing.Message, outgoing.To!, (answer, from) => post(now => core.Handle(answer, from, now)));
            else
                gossip.Send(outgoing);
    }

    /// <summary>A flood must not fill the event log.</summary>
    private void TellDropped(Instant now)
    {
        var counts = gossip.Counts;
        if (now < _nextDropped || (counts.Forged, counts.Replayed, counts.Malformed) == (_toldCounts.Forged, _toldCounts.Replayed, _toldCounts.Malformed))
            return;
        events(new NodeEvent("gossip-dropped", gossip.LastDroppedFrom?.ToString() ?? "", "datagrams that no member sent, or not like this", new Dictionary<string, double>
        {
            ["forged"] = counts.Forged - _toldCounts.Forged,
            ["replayed"] = counts.Replayed - _toldCounts.Replayed,
            ["malformed"] = counts.Malformed - _toldCounts.Malformed,
        }));
        _toldCounts = counts;
        _nextDropped = now + DroppedInterval;
    }

    private void TellReach()
    {
        var why = core.Reach switch
        {
            Reach.CutOff => "nobody is heard: this node's own link may be down",
            Reach.Minority => "more members fell silent within a minute than are still heard: this may be the smaller side of a broken link",
            _ => "the others are heard",
        };
        _reach = core.Reach;
        MeshLog.ReachChanged(log, _reach, why);
        events(new NodeEvent(_reach switch { Reach.CutOff => "uplink-lost", Reach.Minority => "site-split", _ => "uplink-back" }, core.Self.Value, why));
    }
}
