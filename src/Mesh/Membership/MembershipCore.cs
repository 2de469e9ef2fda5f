using System.Net;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;

namespace EdgeFirmware.Mesh.Membership;

/// <summary>Who is in the site and alive: SWIM with suspicion and incarnations (Das, Gupta, Motivala 2002). No clock, socket or lock: the
/// owner hands in what arrived and the instant, sends what is in <see cref="Outbox"/>, and calls <see cref="Advance"/> at
/// <see cref="NextWakeup"/>. Probing is in <see cref="Prober"/>; here is what is believed and how it spreads.</summary>
public sealed class MembershipCore
{
    /// <summary>Updates in one datagram: with the longest names and offers it stays under 1 200 bytes, an IPv6 minimum MTU of 1 280 less
    /// headers.</summary>
    public const int UpdatesMax = 4;

    /// <summary>Dead members sought at once.</summary>
    private const int SeeksMax = 4;

    /// <summary>Timers are due at least once a probe period: one that comes this many periods late was held up.</summary>
    private const int PausePeriods = 3;

    private readonly MembershipProfile _profile;
    private readonly Random _random;
    private readonly IReadOnlyList<IPEndPoint> _seeds;
    private readonly SortedDictionary<NodeId, Member> _members = [];
    private readonly UpdateQueue _updates = new();
    private readonly Prober _prober;
    private readonly Member _self;
    private Instant _nextGossip = Instant.Never;
    private Instant _nextSync;
    private Instant _nextSeek;
    private Instant _advanced;

    public MembershipCore(
        NodeId self, IPEndPoint address, IReadOnlyList<IPEndPoint> seeds, MembershipProfile profile, Random random, Instant now)
    {
        _profile = profile;
        _random = random;
        _seeds = seeds;
        _self = new Member(self) { Address = address, Boot = (uint)random.NextInt64(1, uint.MaxValue), Since = now };
        _prober = new Prober(self, profile, random, now);
        _nextSync = now + profile.SyncInterval;
        _nextSeek = now;
        _advanced = now;
    }

    /// <summary>Datagrams to send, in order.</summary>
    public Queue<Outgoing> Outbox { get; } = new();

    /// <summary>Changes an operator or another core cares about, in order.</summary>
    public Queue<MemberView> Changes { get; } = new();

    public NodeId Self => _self.Id;

    public Offer? OwnOffer => _self.Offer;

    /// <summary>Times this node had to say that it is alive after all.</summary>
    public int Refutations { get; private set; }

    public Instant NextWakeup
    {
        get
        {
            var next = Instant.Min(Instant.Min(_nextGossip, _prober.NextWakeup), Instant.Min(_nextSync, _nextSeek));
            foreach (var member in _members.Values)
                if (member.Status == MemberStatus.Suspect)
                    next = Instant.Min(next, member.Since + _profile.SuspicionTimeout(_members.Count + 1));
            return next;
        }
    }

    public IReadOnlyList<MemberView> Members(Instant now) => _members.Values.Select(member => member.ToView(now)).ToList();

    public IPEndPoint? AddressOf(NodeId id) => _members.TryGetValue(id, out var member) ? member.Address : null;

    /// <summary>Changes what this node offers; whether it is worth a datagram is decided before.</summary>
    public void Advertise(Offer offer, Instant now)
    {
        _self.Offer = offer with { Version = (_self.Offer?.Version ?? 0) + 1 };
        Spread(_self.Id, now);
    }

    public void Handle(GossipMessage message, IPEndPoint from, Instant now)
    {
        if (message.Sender == _self.Id)
            return; // our own multicast
        foreach (var update in message.Updates.Take(UpdatesMax))
            Apply(update, now);
        switch (message)
        {
            case Ping ping when ping.Target == _self.Id:
                Send(new Ack(_self.Id, ping.Sequence), from, about: ping.Sender);
                break;
            case Ack ack:
                HandleAck(ack, from, now);
                break;
            case PingRequest request:
                _prober.Relay(request, from, now, Send);
                break;
            case Sync { WantsReply: true }:
                SendView(from, wantsReply: false);
                break;
        }
    }

    public void Advance(Instant now)
    {
        if (now - _advanced > _profile.ProbePeriod * PausePeriods)
            ForgiveSilence(now);
        _advanced = now;
        ExpireSuspicions(now);
        _prober.Advance(_members, now, Send, silent => Suspect(silent, now));
        if (_nextGossip <= now)
            GossipRound(now);
        if (_nextSync <= now)
        {
            _nextSync = now + (_profile.SyncInterval * (0.9 + (0.2 * _random.NextDouble())));
            if (PickReachable() is { } partner)
                SendView(partner.Address, wantsReply: true);
            Forget(now);
        }
        if (_nextSeek <= now)
            Seek(now);
    }

    /// <summary>Says goodbye to every reachable member; the datagrams are in the outbox afterwards.</summary>
    public void Leave(Instant now)
    {
        _self.Status = MemberStatus.Left;
        _self.Since = now;
        foreach (var member in _members.Values.Where(member => member.IsReachable))
            Outbox.Enqueue(new(new Gossip(_self.Id) { Updates = [_self.ToUpdate(withOffer: false)] }, member.Address));
    }

    private void HandleAck(Ack ack, IPEndPoint from, Instant now)
    {
        if (_prober.Acknowledged(ack, now, Send) is { } roundTrip && _members.TryGetValue(ack.Sender, out var member))
        {
            member.RoundTrip.Add(roundTrip);
            if (!member.Address.Equals(from))
                member.Address = from; // it answers from a new address: NAT rebinding or a new lease
        }
    }

    private void Apply(MemberUpdate update, Instant now)
    {
        if (update.Id == _self.Id)
        {
            RefuteIfWrong(update, now);
            return;
        }
        if (!_members.TryGetValue(update.Id, out var member))
        {
            if (update.Status is MemberStatus.Dead or MemberStatus.Left || _members.Count >= _profile.MembersMax)
                return;
            member = new Member(update.Id) { Address = update.Address, Incarnation = update.Incarnation, Status = MemberStatus.Left };
            _members.Add(update.Id, member);
            _prober.Shuffle(update.Id);
            Accept(member, update, "joined", now);
            return;
        }
        if (IsNews(member, update))
            Accept(member, update, Reason(member, update), now);
        else if (update.Status == MemberStatus.Alive && update.Boot == member.Boot && update.Incarnation == member.Incarnation)
            AcceptOffer(member, update.Offer, now);
    }

    /// <summary>SWIM's order of updates: a higher incarnation wins; within one, alive &lt; suspect &lt; dead or left.</summary>
    private static bool IsNews(Member member, MemberUpdate update)
    {
        if (update.Incarnation != member.Incarnation)
            return update.Incarnation > member.Incarnation && (member.IsReachable || update.Status is not (MemberStatus.Dead or MemberStatus.Left));
        return update.Status > member.Status && member.IsReachable;
    }

    private static string Reason(Member member, MemberUpdate update) => update.Status switch
    {
        MemberStatus.Suspect => "another member got no answer from it",
        MemberStatus.Dead => "another member declared it dead",
        MemberStatus.Left => "it said goodbye",
        _ => member.Boot != update.Boot ? "it restarted" : member.IsReachable ? "it refuted a suspicion" : "it is back",
    };

    private void Accept(Member member, MemberUpdate update, string why, Instant now)
    {
        var restarted = member.Boot != update.Boot;
        member.Address = update.Address;
        member.Incarnation = update.Incarnation;
        member.Boot = update.Boot;
        if (restarted)
            member.Offer = null;
        Become(member, update.Status, why, now);
        AcceptOffer(member, update.Offer, now);
    }

    private void AcceptOffer(Member member, Offer? offer, Instant now)
    {
        if (offer is null || (member.Offer is { } known && offer.Version <= known.Version))
            return;
        member.Offer = offer;
        member.OfferHeard = now;
        Spread(member.Id, now);
        Changes.Enqueue(member.ToView(now));
    }

    private void Become(Member member, MemberStatus status, string why, Instant now)
    {
        if (member.Status == MemberStatus.Dead && status == MemberStatus.Alive)
            _nextSeek = Instant.Min(_nextSeek, now + _profile.GossipInterval); // a partition may have healed: the others are sought at once
        member.Status = status;
        member.Since = now;
        member.Why = why;
        Spread(member.Id, now);
        Changes.Enqueue(member.ToView(now));
    }

    private void RefuteIfWrong(MemberUpdate update, Instant now)
    {
        if (_self.Status == MemberStatus.Left || update.Incarnation < _self.Incarnation)
            return;
        var right = update.Boot == _self.Boot && update.Status == MemberStatus.Alive;
        if (right)
            return;
        _self.Incarnation = update.Incarnation + 1;
        Refutations++;
        Spread(_self.Id, now);
    }

    private void Suspect(NodeId silent, Instant now)
    {
        if (_members.TryGetValue(silent, out var member) && member.Status == MemberStatus.Alive)
            Become(member, MemberStatus.Suspect, "no answer, directly or through others", now);
    }

    /// <summary>This node has slept through its own timers (stopped, or starved): what it has not heard says nothing about the others.</summary>
    private void ForgiveSilence(Instant now)
    {
        _prober.Abandon(now);
        foreach (var member in _members.Values)
            if (member.Status == MemberStatus.Suspect)
                member.Since = now;
    }

    private void ExpireSuspicions(Instant now)
    {
        var timeout = _profile.SuspicionTimeout(_members.Count + 1);
        foreach (var member in _members.Values)
            if (member.Status == MemberStatus.Suspect && member.Since + timeout <= now)
                Become(member, MemberStatus.Dead, $"{member.Why} for {timeout.TotalSeconds:0.0} s", now);
    }

    private void GossipRound(Instant now)
    {
        var targets = _members.Values.Where(member => member.IsReachable).ToArray();
        _random.Shuffle(targets);
        foreach (var target in targets.Take(_profile.GossipFanout))
            Send(new Gossip(_self.Id), target.Address, target.Id);
        _nextGossip = _updates.IsEmpty || targets.Length == 0 ? Instant.Never : now + _profile.GossipInterval;
    }

    /// <summary>Looks for members nobody told us of: seeds that no member lives at, members thought dead, and the multicast groups.</summary>
    private void Seek(Instant now)
    {
        var alone = !_members.Values.Any(member => member.IsReachable);
        _nextSeek = now + (_profile.SeekInterval * (alone ? 1 : 5));
        var inhabited = _members.Values.Where(member => member.IsReachable).Select(member => member.Address).ToHashSet();
        foreach (var seed in _seeds)
            if (!inhabited.Contains(seed) && !seed.Equals(_self.Address))
                SendView(seed, wantsReply: true);
        var lost = _members.Values.Where(member => member.Status == MemberStatus.Dead).ToArray();
        _random.Shuffle(lost);
        foreach (var member in lost.Take(SeeksMax))
            SendView(member.Address, wantsReply: true);
        if (alone)
            Outbox.Enqueue(new(new Sync(_self.Id, WantsReply: true) { Updates = [_self.ToUpdate(withOffer: true)] }, To: null));
    }

    private void Forget(Instant now)
    {
        foreach (var gone in _members.Values.Where(member => !member.IsReachable && member.Since + _profile.DeadRetention <= now).ToList())
            _members.Remove(gone.Id);
    }

    private void Spread(NodeId about, Instant now)
    {
        _updates.Add(about);
        _nextGossip = Instant.Min(_nextGossip, now + _profile.GossipInterval);
    }

    private Member? PickReachable()
    {
        var reachable = _members.Values.Where(member => member.IsReachable).ToArray();
        return reachable.Length == 0 ? null : reachable[_random.Next(reachable.Length)];
    }

    private void SendView(IPEndPoint to, bool wantsReply)
    {
        var view = _members.Values.Select(member => member.ToUpdate(withOffer: true)).Prepend(_self.ToUpdate(withOffer: true));
        foreach (var part in view.Chunk(UpdatesMax))
        {
            Outbox.Enqueue(new(new Sync(_self.Id, wantsReply) { Updates = part }, to));
            wantsReply = false;
        }
    }

    /// <summary>Sends with updates aboard; the receiver always learns what is wrongly believed of it, so that it can refute.</summary>
    private void Send(GossipMessage message, IPEndPoint to, NodeId about)
    {
        var names = _updates.Take(UpdatesMax - 1, _profile.Retransmits(_members.Count + 1));
        if (_members.TryGetValue(about, out var receiver) && receiver.Status != MemberStatus.Alive && !names.Contains(about))
            names.Add(about);
        var updates = new List<MemberUpdate>(names.Count);
        foreach (var name in names)
            if (name == _self.Id)
                updates.Add(_self.ToUpdate(withOffer: true));
            else if (_members.TryGetValue(name, out var member))
                updates.Add(member.ToUpdate(withOffer: true));
        Outbox.Enqueue(new(message with { Updates = updates }, to));
    }
}
