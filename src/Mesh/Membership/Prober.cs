using System.Net;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;

namespace EdgeFirmware.Mesh.Membership;

/// <summary>SWIM's failure detector: probes each member in turn, directly, then through others; decides only "silent", never "dead".</summary>
internal sealed class Prober(NodeId self, MembershipProfile profile, Random random, Instant start)
{
    /// <summary>Bound on probes done for others.</summary>
    private const int RelaysMax = 64;

    private readonly List<NodeId> _round = [];
    private readonly Dictionary<uint, Relayed> _relays = [];
    private Probe? _probe;
    private uint _sequence;

    private sealed record Probe(NodeId Target, uint Sequence, Instant Sent, Instant AskOthersAt, Instant Deadline, bool Asked);

    private readonly record struct Relayed(uint Sequence, IPEndPoint Origin, NodeId OriginId, Instant Until);

    public delegate void SendTo(GossipMessage message, IPEndPoint to, NodeId about);

    public Instant NextWakeup { get; private set; } = start;

    /// <summary>Puts a newcomer at a random place of the round, so that all nodes do not probe it at once.</summary>
    public void Shuffle(NodeId newcomer) => _round.Insert(random.Next(_round.Count + 1), newcomer);

    public void Advance(SortedDictionary<NodeId, Member> members, Instant now, SendTo send, Action<NodeId> silent)
    {
        if (now < NextWakeup)
            return;
        if (_probe is { Asked: false } late && late.AskOthersAt <= now && now < late.Deadline)
        {
            AskOthers(late, members, send);
            _probe = late with { Asked = true };
        }
        if (_probe is null || _probe.Deadline <= now)
        {
            if (_probe is { } failed)
                silent(failed.Target);
            Begin(members, now, send);
        }
        NextWakeup = _probe is { } open ? (open.Asked ? open.Deadline : open.AskOthersAt) : now + profile.ProbePeriod;
    }

    /// <summary>The open probe says nothing: begins a new one.</summary>
    public void Abandon(Instant now)
    {
        _probe = null;
        NextWakeup = now;
    }

    /// <returns>The round trip when this is the direct answer to the open probe.</returns>
    public TimeSpan? Acknowledged(Ack ack, Instant now, SendTo send)
    {
        if (_relays.Remove(ack.Sequence, out var relayed))
        {
            send(new Ack(self, relayed.Sequence), relayed.Origin, relayed.OriginId);
            return null;
        }
        if (_probe is not { } probe || probe.Sequence != ack.Sequence)
            return null;
        // The next probe waits for the period to end: load per member stays constant (SWIM, section 3).
        NextWakeup = probe.Deadline;
        _probe = null;
        return ack.Sender == probe.Target ? now - probe.Sent : null;
    }

    public void Relay(PingRequest request, IPEndPoint origin, Instant now, SendTo send)
    {
        // Removing while enumerating is allowed since .NET Core 3.0.
        foreach (var (sequence, relayed) in _relays)
            if (relayed.Until <= now)
                _relays.Remove(sequence);
        if (_relays.Count >= RelaysMax)
            return;
        _relays[++_sequence] = new Relayed(request.Sequence, origin, request.Sender, now + profile.ProbePeriod);
        send(new Ping(self, _sequence, request.Target), request.TargetAddress, request.Target);
    }

    private void Begin(SortedDictionary<NodeId, Member> members, Instant now, SendTo send)
    {
        _probe = null;
        if (NextTarget(members) is not { } target)
            return;
        _probe = new Probe(target.Id, ++_sequence, now, now + profile.AcknowledgeTimeout, now + profile.ProbePeriod, Asked: false);
        send(new Ping(self, _probe.Sequence, target.Id), target.Address, target.Id);
    }

    private Member? NextTarget(SortedDictionary<NodeId, Member> members)
    {
        for (var refills = 0; refills < 2; refills++)
        {
            while (_round.Count > 0)
            {
                var id = _round[^1];
                _round.RemoveAt(_round.Count - 1);
                if (members.TryGetValue(id, out var member) && member.IsReachable)
                    return member;
            }
            var all = members.Keys.ToArray();
            random.Shuffle(all);
            _round.AddRange(all);
        }
        return null;
    }

    private void AskOthers(Probe probe, SortedDictionary<NodeId, Member> members, SendTo send)
    {
        if (!members.TryGetValue(probe.Target, out var target))
            return;
        var others = members.Values.Where(member => member.Status == MemberStatus.Alive && member.Id != probe.Target).ToArray();
        random.Shuffle(others);
        foreach (var other in others.Take(profile.IndirectProbes))
            send(new PingRequest(self, probe.Sequence, probe.Target, target.Address), other.Address, other.Id);
    }
}
