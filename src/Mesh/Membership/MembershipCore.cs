using System.Net;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Mesh.Wire;

namespace EdgeFirmware.Mesh.Membership;

/// <summary>Who is in the site and alive: SWIM with suspicion and incarnations (Das, Gupta, Motivala 2002), with Lifeguard's local health and
/// shared suspicions (Dadgar, Phillips, Currey 2018). No clock, socket or lock: the owner hands in what arrived and the instant, sends what
/// is in <see cref="Outbox"/>, and calls <see cref="Advance"/> at <see cref="NextWakeup"/>.</summary>
/// <remarks>Each mechanism is a class: <see cref="Prober"/> finds out who is silent, <see cref="Suspicion"/> how long that is forgiven,
/// <see cref="LocalHealth"/> how far this node trusts itself, <see cref="UpdateQueue"/> what is told to others,
/// <see cref="ViewComparison"/> what gossip has missed, <see cref="Seeker"/> whom nobody knows of, <see cref="OwnLink"/> whether it is this
/// node that is away. Here is what is believed: <c>.Beliefs</c> takes news in, <c>.Spreading</c> sends it out.</remarks>
public sealed partial class MembershipCore
{
    /// <summary>A change is told to all at once: only a difference that stays is news.</summary>
    private const int RecordsDifferNeeded = 2;

    private static readonly TimeSpan ForgettingInterval = TimeSpan.FromMinutes(10);

    private readonly MembershipProfile _profile;
    private readonly ISiteIdentity _identity;
    private readonly Random _random;
    private readonly MemberTable _members;
    private readonly LocalHealth _health = new();
    private readonly Prober _prober;
    private readonly ViewComparison _comparison;
    private readonly Seeker _seeker;
    private readonly OwnLink _ownLink;
    private readonly Prober.SendTo _send;
    private readonly Prober.Silent _silent;
    private int _recordsDiffer;
    private Instant _nextForgetting;
    private Instant _nextLookAround = Instant.Never;
    private Instant _now;
    private Instant _due;

    /// <param name="seeds">Where members may be found: the operator's, and those remembered from before.</param>
    public MembershipCore(
        NodeId self, IPEndPoint address, IReadOnlyList<IPEndPoint> seeds, MembershipProfile profile, ISiteIdentity identity, Random random,
        Instant now)
    {
        _profile = profile;
        _identity = identity;
        _random = random;
        _now = _due = now;
        _nextForgetting = now + ForgettingInterval;
        _self = new Member(new MemberIdentity(self, address, (uint)random.NextInt64(1, uint.MaxValue))) { Since = now };
        _members = new MemberTable(_self.Tag, random);
        _prober = new Prober(_self.Tag, profile, _members, _health, random, now);
        _comparison = new ViewComparison(_members, profile);
        _seeker = new Seeker(seeds.Where(seed => !seed.Equals(address)).ToArray(), profile, _members, random, now);
        _ownLink = new OwnLink(_members, profile, now);
        _send = Send;
        _silent = Suspect;
        _makeNews = MakeNews;
        _sends = SendsOf;
    }

    /// <summary>Datagrams to send, in order.</summary>
    public Queue<Outgoing> Outbox { get; } = new();

    /// <summary>Changes an operator or another core cares about, in order.</summary>
    public Queue<MemberView> Changes { get; } = new();

    /// <summary>What members said that cannot be.</summary>
    public Queue<PeerFault> Faults { get; } = new();

    /// <summary>Members that have answered for other records than this node's, again and again.</summary>
    public Queue<NodeId> Differing { get; } = new();

    /// <summary>Of what this node knows of workloads: every answer to a probe says it.</summary>
    public uint RecordsHash { get; set; }

    public NodeId Self => _self.Id;

    public Offer? OwnOffer => _self.Offer?.Offer;

    /// <summary>Members that nobody suspects.</summary>
    public int AliveCount => _members.Reachable.Count - _members.Suspects.Count;

    public int SuspectCount => _members.Suspects.Count;

    /// <summary>Times this node had to say that it is alive after all.</summary>
    public int Refutations { get; private set; }

    /// <summary>Lifeguard's local health: 0 = it trusts itself, 8 = it gives others nine times the ordinary time.</summary>
    public int HealthScore => _health.Score;

    /// <summary>Whether this node hears the site.</summary>
    public Reach Reach => _ownLink.Reach;

    public Instant NextWakeup
    {
        get
        {
            var next = Instant.Min(Instant.Min(_nextGossip, _prober.NextWakeup), Instant.Min(_seeker.NextWakeup, Instant.Min(_nextForgetting, _nextLookAround)));
            foreach (var suspect in _members.Suspects)
                next = Instant.Min(next, suspect.Suspicion!.NextLook);
            return next;
        }
    }

    public IReadOnlyList<MemberView> Members(Instant now)
    {
        var views = new List<MemberView>(_members.Count);
        foreach (var member in _members.All)
            views.Add(member.ToView(now));
        views.Sort(static (a, b) => a.Id.CompareTo(b.Id));
        return views;
    }

    public IPEndPoint? AddressOf(NodeId id) => _members.Find(MemberTag.Of(id))?.Address;

    /// <summary>Changes what this node offers; the caller has decided that it is worth sending.</summary>
    public void Advertise(Offer offer, Instant now)
    {
        _now = now;
        var numbered = offer with { Version = (OwnOffer?.Version ?? 0) + 1 };
        var statement = OfferStatement.Write(_self.Boot, numbered);
        _self.Offer = new SignedOffer(_self.Boot, numbered, statement, _identity.Sign(OfferStatement.ToBeSigned(_self.Id, statement)));
        SpreadOffer(_self);
    }

    /// <param name="from">Where answers go.</param>
    public void Handle(GossipMessage message, IPEndPoint from, Instant now)
    {
        if (message.Sender == _self.Tag)
            return; // our own multicast
        _now = now;
        var sender = _members.Find(message.Sender);
        if (sender is not null && _identity.IsShutOut(sender.Id))
            return; // until the gossip key is another, who was shut out can still seal
        if (sender is not null)
            _ownLink.Heard(now);
        foreach (var news in message.News)
            Apply(news, isView: message is View, from);
        Ask(from);
        switch (message)
        {
            case Ping ping when ping.Target == _self.Tag:
                Send(new Ack(_self.Tag, ping.Sequence, _comparison.ViewOf(_self.ToEntry()), RecordsHash), from, sender);
                if (sender is null && _members.Find(ping.Sender) is null)
                    Send(new Want(_self.Tag, [ping.Sender]), from, null);
                break;
            case Ack ack:
                HandleAck(ack, from);
                break;
            case Nack nack:
                _prober.NotAcknowledged(nack, _silent);
                break;
            case PingRequest request:
                _prober.Relay(request, from, now, _send);
                break;
            case Hello:
                SendView(from, _members.Find(message.Sender));
                break;
            case Digest digest:
                foreach (var summary in _comparison.Summaries(digest, _self.ToEntry(), SummaryEntriesMax))
                    Outbox.Enqueue(new(summary, from));
                break;
            case Summary summary:
                HandleSummary(summary, from);
                break;
            case Want want:
                Tell(want, from);
                break;
        }
        _due = NextWakeup;
    }

    /// <summary>A machine said that nobody listens at an address this node has sent to.</summary>
    public void Refused(IPEndPoint address, Instant now)
    {
        _now = now;
        _prober.Refused(address, now, _send, _silent);
    }

    public void Advance(Instant now)
    {
        _now = now;
        if (now - _due > _profile.AcknowledgeTimeout)
            ForgiveSilence(now - _due);
        for (var i = _members.Suspects.Count - 1; i >= 0; i--)
            if (_members.Suspects[i] is var suspect && suspect.Suspicion!.Look(now) is var verdict and not Verdict.Wait)
                if (verdict == Verdict.Dead)
                    Bury(suspect);
                else
                    Knock(suspect);
        _ownLink.Look(now);
        _prober.Advance(now, _send, _silent);
        _seeker.Advance(now, SayHello);
        if (_nextGossip <= now)
            GossipRound();
        if (_nextLookAround <= now)
            LookAround();
        if (_nextForgetting <= now)
            Forget();
        _due = NextWakeup;
    }

    /// <summary>Certificates of members have become known: offers that could not be verified may be now.</summary>
    public void IdentitiesChanged(Instant now)
    {
        _now = now;
        foreach (var member in _members.All)
            if (member.Unverified is { } offer)
            {
                member.Unverified = null;
                Believe(member, offer);
            }
    }

    /// <summary>Says goodbye; the datagrams are in the outbox afterwards.</summary>
    public void Leave(Instant now)
    {
        _now = now;
        _self.Status = MemberStatus.Left;
        var told = new List<Member>();
        _members.Pick(told, GoodbyesMax, static _ => true);
        foreach (var member in told)
            Outbox.Enqueue(new(new Gossip(_self.Tag) { News = [_self.ToNews(withIdentity: false, withOffer: false)] }, member.Address));
    }

    private void HandleAck(Ack ack, IPEndPoint from)
    {
        _prober.Acknowledged(ack, _now, _send);
        if (_members.Find(ack.Sender) is not { IsReachable: true } member)
            return;
        _recordsDiffer = ack.Records == RecordsHash ? 0 : _recordsDiffer + 1;
        if (_recordsDiffer >= RecordsDifferNeeded)
            Differing.Enqueue(member.Id);
        if (_comparison.IsDue(ack.View, _self.ToEntry(), _now))
            Outbox.Enqueue(new(_comparison.DigestOf(_self.ToEntry()), member.Address));
    }

    /// <summary>This node has slept through its own timers (stopped, or starved): what it has not heard says nothing about the others.</summary>
    private void ForgiveSilence(TimeSpan deaf)
    {
        _prober.Abandon();
        _health.Worse();
        foreach (var suspect in _members.Suspects)
            suspect.Suspicion!.Extend(deaf);
        _ownLink.Heard(_now);
    }

    /// <summary>Soon after this node has met the first member it compares its view with one of those it has met by then: where many start
    /// together, some word was lost.</summary>
    private void LookAround()
    {
        _nextLookAround = Instant.Never;
        if (_members.PickReachable() is { } member)
            Outbox.Enqueue(new(_comparison.DigestOf(_self.ToEntry()), member.Address));
    }

    private void Forget()
    {
        _nextForgetting = _now + ForgettingInterval;
        foreach (var member in _members.All.ToArray())
            if (!member.IsReachable && member.Since + _profile.DeadRetention <= _now)
                _members.Remove(member);
    }
}
