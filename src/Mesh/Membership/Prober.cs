using System.Net;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;

namespace EdgeFirmware.Mesh.Membership;

/// <summary>SWIM's failure detector: probes members directly, then through others; decides only "silent" or "refused", never "dead". Every other
/// period it probes its successor on the ring, so that each member is looked at in every second period, come what may; in between it goes
/// round all members at random, as SWIM does, so that each pair knows its own path.</summary>
internal sealed class Prober(
    MemberTag self, MembershipProfile profile, MemberTable members, LocalHealth health, Random random, Instant start)
{
    /// <summary>Bound on probes done for others.</summary>
    private const int RelaysMax = 64;

    /// <summary>Own probes at once: the period's, and of suspects whose suspicion this node checks.</summary>
    private const int ProbesMax = 8;

    private readonly List<Probe> _probes = [];
    private readonly List<Relayed> _relays = [];
    private readonly List<Member> _round = [];
    private readonly List<Member> _others = [];
    private Instant _nextPeriod = start;
    private ushort _sequence;
    private bool _isRingsTurn;

    private sealed class Probe(Member target, ushort sequence, Instant sent)
    {
        public Member Target { get; } = target;

        public ushort Sequence { get; } = sequence;

        public Instant Sent { get; } = sent;

        public Instant AskOthersAt { get; set; }

        public Instant Deadline { get; init; }

        public bool IsRefused { get; set; }

        public int Asked { get; set; }

        public int Nacks { get; set; }
    }

    private sealed class Relayed(ushort sequence, PingRequest request, IPEndPoint origin, Instant nackAt)
    {
        public ushort Sequence { get; } = sequence;

        public PingRequest Request { get; } = request;

        public IPEndPoint Origin { get; } = origin;

        public Instant NackAt { get; } = nackAt;
    }

    public delegate void SendTo(GossipMessage message, IPEndPoint to, Member? about);

    /// <param name="isRefused">Its machine said that nobody listens there, to this node and to one that was asked.</param>
    public delegate void Silent(Member member, bool isRefused);

    public Instant NextWakeup
    {
        get
        {
            var next = _nextPeriod;
            foreach (var probe in _probes)
                next = Instant.Min(next, Instant.Min(probe.AskOthersAt, probe.Deadline));
            foreach (var relay in _relays)
                next = Instant.Min(next, relay.NackAt);
            return next;
        }
    }

    public void Advance(Instant now, SendTo send, Silent silent)
    {
        for (var i = _relays.Count - 1; i >= 0; i--)
            if (_relays[i].NackAt <= now)
                EndRelay(i, new Nack(self, _relays[i].Request.Sequence, Refused: false), send);
        for (var i = _probes.Count - 1; i >= 0; i--)
        {
            var probe = _probes[i];
            if (probe.Deadline <= now)
            {
                _probes.RemoveAt(i);
                // Who was asked and says nothing at all may be alive: then it is this node that does not hear.
                health.Worse(probe.Asked == 0 ? 1 : Math.Min(1, probe.Asked - probe.Nacks));
                silent(probe.Target, probe.IsRefused);
            }
            else if (probe.AskOthersAt <= now)
            {
                AskOthers(probe, send);
            }
        }
        if (_nextPeriod > now)
            return;
        // A tenth of jitter, so that nodes which started together do not probe together.
        _nextPeriod = now + health.Scale(profile.ProbePeriod * (0.95 + (0.1 * random.NextDouble())));
        _isRingsTurn = !_isRingsTurn;
        if ((_isRingsTurn ? members.Successor() : null) is { } next || (next = NextOfRound()) is not null)
            Begin(next, now, send);
    }

    /// <summary>Looks at a member out of turn.</summary>
    public void Check(Member member, Instant now, SendTo send)
    {
        foreach (var probe in _probes)
            if (probe.Target == member)
                return;
        if (_probes.Count < ProbesMax)
            Begin(member, now, send);
    }

    /// <summary>Open probes say nothing: this node was deaf.</summary>
    public void Abandon() => _probes.Clear();

    public void Acknowledged(Ack ack, Instant now, SendTo send)
    {
        for (var i = 0; i < _relays.Count; i++)
            if (_relays[i].Sequence == ack.Sequence && _relays[i].Request.Target == ack.Sender)
            {
                EndRelay(i, ack with { Sequence = _relays[i].Request.Sequence, News = [] }, send);
                return;
            }
        for (var i = 0; i < _probes.Count; i++)
            if (_probes[i] is var probe && probe.Sequence == ack.Sequence && probe.Target.Tag == ack.Sender)
            {
                _probes.RemoveAt(i);
                health.Better();
                if (probe.AskOthersAt != Instant.Never)
                    probe.Target.RoundTrip.Add(now - probe.Sent); // nobody else was asked: it came straight
                return;
            }
    }

    public void NotAcknowledged(Nack nack, Silent silent)
    {
        for (var i = 0; i < _probes.Count; i++)
            if (_probes[i] is var probe && probe.Sequence == nack.Sequence && probe.Nacks < probe.Asked)
            {
                probe.Nacks++;
                if (!nack.Refused || !probe.IsRefused)
                    return;
                _probes.RemoveAt(i);
                silent(probe.Target, true);
                return;
            }
    }

    /// <summary>The machine at an address said that nobody listens at that port (ICMP port unreachable, RFC 1122, section 3.2.2.1). Anybody on the
    /// path can forge that, so it only makes this node ask others sooner.</summary>
    public void Refused(IPEndPoint address, Instant now, SendTo send, Silent silent)
    {
        for (var i = _relays.Count - 1; i >= 0; i--)
            if (_relays[i].Request.TargetAddress.Equals(address))
                EndRelay(i, new Nack(self, _relays[i].Request.Sequence, Refused: true), send);
        for (var i = _probes.Count - 1; i >= 0; i--)
        {
            var probe = _probes[i];
            if (probe.IsRefused || !probe.Target.Address.Equals(address))
                continue;
            probe.IsRefused = true;
            if (probe.AskOthersAt != Instant.Never)
                AskOthers(probe, send);
            if (probe.Asked > 0)
                continue;
            _probes.RemoveAt(i); // there is nobody to ask
            silent(probe.Target, true);
        }
    }

    public void Relay(PingRequest request, IPEndPoint origin, Instant now, SendTo send)
    {
        if (_relays.Count >= RelaysMax)
            return;
        // Before the asker gives up: it has waited one acknowledge timeout of the period by now.
        _relays.Add(new Relayed(++_sequence, request, origin, now + (profile.AcknowledgeTimeout * 2)));
        send(new Ping(self, _sequence, request.Target), request.TargetAddress, members.Find(request.Target));
    }

    private void Begin(Member target, Instant now, SendTo send)
    {
        _probes.Add(new Probe(target, ++_sequence, now)
        {
            AskOthersAt = now + health.Scale(profile.AcknowledgeTimeout), Deadline = now + health.Scale(profile.ProbePeriod * 0.9),
        });
        send(new Ping(self, _sequence, target.Tag), target.Address, target);
    }

    private void EndRelay(int index, GossipMessage answer, SendTo send)
    {
        var relay = _relays[index];
        _relays.RemoveAt(index);
        send(answer, relay.Origin, members.Find(relay.Request.Sender));
    }

    /// <summary>Each member once a round, in a new order each round; newcomers within the next.</summary>
    private Member? NextOfRound()
    {
        for (var refills = 0; refills < 2; refills++)
        {
            while (_round.Count > 0)
            {
                var next = _round[^1];
                _round.RemoveAt(_round.Count - 1);
                if (next.IsReachable)
                    return next;
            }
            _round.AddRange(members.Reachable);
            members.Shuffle(_round);
        }
        return null;
    }

    private void AskOthers(Probe probe, SendTo send)
    {
        probe.AskOthersAt = Instant.Never;
        members.Pick(_others, profile.IndirectProbes, member => member.Status == MemberStatus.Alive && member != probe.Target);
        probe.Asked = _others.Count;
        foreach (var other in _others)
            send(new PingRequest(self, probe.Sequence, probe.Target.Tag, probe.Target.Address), other.Address, other);
    }
}
