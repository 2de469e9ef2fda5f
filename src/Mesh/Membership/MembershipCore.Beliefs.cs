using System.Net;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Mesh.Wire;

namespace EdgeFirmware.Mesh.Membership;

/// <summary>What is believed of members, and what changes it.</summary>
public sealed partial class MembershipCore
{
    /// <summary>Members that check a new suspicion themselves, of all who hear of it: as many voices as make it short.</summary>
    private const int ChecksMean = 4;

    private readonly Member _self;

    /// <summary>Members that news is of and nothing else is known of.</summary>
    private readonly List<MemberTag> _unknown = [];

    private void Apply(MemberNews news, bool isView, IPEndPoint from)
    {
        if (news.Member == _self.Tag)
        {
            RefuteIfWrong(news, from);
            return;
        }
        var member = _members.Find(news.Member);
        if (member is null)
        {
            if (news.Status is MemberStatus.Alive or MemberStatus.Suspect)
                Meet(news);
            return;
        }
        if (news.Identity is { } identity && identity.Id != member.Id)
        {
            Faults.Enqueue(new PeerFault(identity.Id, $"its name has the same tag as {member.Id}"));
            return;
        }
        if (ViewComparison.IsNewer(news.Status, news.Incarnation, member))
        {
            if (isView && news.Status == MemberStatus.Dead && member.IsReachable)
                PassOn(member, news.Incarnation);
            else
                Accept(member, news);
        }
        else if (news.Status == MemberStatus.Suspect && member.Suspicion is { } suspicion && news.Incarnation == member.Incarnation)
        {
            if (suspicion.Hear(news.By, news.Refused))
                SpreadStatus(member);
        }
        else if (isView && news.Status is MemberStatus.Alive && member.Status is MemberStatus.Dead && news.Incarnation == member.Incarnation)
        {
            PassOn(member, member.Incarnation); // somebody hears it: it shall say so itself
        }
        if (news.Offer is { } offer)
            Believe(member, offer);
    }

    private void Meet(MemberNews news)
    {
        if (news.Identity is not { } identity)
        {
            if (_unknown.Count < WantsMax && !_unknown.Contains(news.Member))
                _unknown.Add(news.Member);
            return;
        }
        if (_members.Count >= _profile.MembersMax)
            return;
        var member = new Member(identity) { Incarnation = news.Incarnation };
        if (member.Tag != news.Member)
        {
            Faults.Enqueue(new PeerFault(identity.Id, "it was announced under a tag that is not its own"));
            return;
        }
        _members.Add(member);
        Become(member, MemberStatus.Alive, "joined");
        if (news.Status == MemberStatus.Suspect)
            Accept(member, news);
        if (news.Offer is { } offer)
            Believe(member, offer);
    }

    private void Accept(Member member, MemberNews news)
    {
        var before = member.Boot;
        if (news.Identity is { } identity)
            member.LivesAt(identity);
        var restarted = member.Boot != before;
        if (restarted)
            (member.Offer, member.Unverified) = (null, null);
        member.Incarnation = news.Incarnation;
        switch (news.Status)
        {
            case MemberStatus.Suspect:
                member.Suspicion = new Suspicion(news.By, news.Refused, _profile, _members.Reachable.Count + 1, _now);
                Become(member, MemberStatus.Suspect, $"{NameOf(news.By)} got no answer from it");
                if (_random.Next(Math.Max(1, _members.Reachable.Count)) < ChecksMean)
                    _prober.Check(member, _now, _send);
                break;
            case MemberStatus.Dead:
                Become(member, MemberStatus.Dead, $"{NameOf(news.By)} declared it dead");
                break;
            case MemberStatus.Left:
                Become(member, MemberStatus.Left, "it said goodbye");
                break;
            default:
                Become(member, MemberStatus.Alive, restarted ? "it restarted" : member.IsReachable ? "it refuted a suspicion" : "it is back");
                break;
        }
    }

    private void Become(Member member, MemberStatus status, string why)
    {
        var before = member.Status;
        if (status != MemberStatus.Suspect)
            member.Suspicion = null;
        member.Since = _now;
        member.Why = why;
        _members.SetStatus(member, status);
        if (_members.Reachable.Count == 1 && _nextLookAround == Instant.Never)
            _nextLookAround = _now + (_profile.GossipInterval * (6 + (2 * _random.NextDouble())));
        SpreadStatus(member);
        if (before == MemberStatus.Dead && status == MemberStatus.Alive)
        {
            // A partition may have healed: its view tells who else is back, and who on its side believes what.
            _seeker.SomebodyCame(_now);
            Outbox.Enqueue(new(_comparison.DigestOf(_self.ToEntry()), member.Address));
        }
        Changes.Enqueue(member.ToView(_now));
    }

    /// <summary>An offer its node has signed, of this run and newer than what is known.</summary>
    private void Believe(Member member, SignedOffer offer)
    {
        if (offer.Boot != member.Boot || (member.Offer is { } known && offer.Offer.Version <= known.Offer.Version))
            return;
        switch (_identity.Verify(member.Id, OfferStatement.ToBeSigned(member.Id, offer.Statement), offer.Signature))
        {
            case SignatureVerdict.Forged:
                Faults.Enqueue(new PeerFault(member.Id, "an offer in its name is not signed with its key"));
                return;
            case SignatureVerdict.Unknown:
                if (member.Unverified is not { } waiting || waiting.Offer.Version < offer.Offer.Version)
                    member.Unverified = offer;
                return;
        }
        member.Offer = offer;
        member.OfferHeard = _now;
        _members.Changed(member);
        SpreadOffer(member);
        Changes.Enqueue(member.ToView(_now));
    }

    private void RefuteIfWrong(MemberNews news, IPEndPoint from)
    {
        var isRight = news.Status == MemberStatus.Alive && (news.Identity is null || news.Identity.Boot == _self.Boot);
        if (_self.Status == MemberStatus.Left || isRight)
            return;
        if (news.Incarnation < _self.Incarnation)
        {
            // Refuted before, and not heard there.
            Outbox.Enqueue(new(new Gossip(_self.Tag) { News = [_self.ToNews(withIdentity: true, withOffer: false)] }, from));
            return;
        }
        _self.Incarnation = news.Incarnation + 1;
        Refutations++;
        _health.Worse();
        SpreadStatus(_self);
        _nextGossip = _now; // at once: somebody counts
        Outbox.Enqueue(new(new Gossip(_self.Tag) { News = [_self.ToNews(withIdentity: true, withOffer: false)] }, from));
    }

    private void Suspect(Member member, bool isRefused)
    {
        if (member.Status == MemberStatus.Alive)
        {
            member.Suspicion = new Suspicion(_self.Tag, isRefused, _profile, _members.Reachable.Count + 1, _now);
            Become(member, MemberStatus.Suspect, isRefused
                ? "nobody listens at its port, its machine says"
                : "no answer, directly or through others");
            _nextGossip = _now;
            Knock(member);
            if (!isRefused)
                Knock(member, byStream: true);
        }
        else if (member.Suspicion is { } suspicion && suspicion.Hear(_self.Tag, isRefused))
        {
            Outbox.Enqueue(new(new Gossip(_self.Tag) { News = [member.ToNews(withIdentity: false, withOffer: false) with { By = _self.Tag }] }, member.Address));
            SpreadStatus(member);
        }
    }

    /// <summary>Asks the suspect, and tells it what is believed of it.</summary>
    private void Knock(Member suspect, bool byStream = false) => Outbox.Enqueue(new(
        new Ping(_self.Tag, 0, suspect.Tag) { News = [suspect.ToNews(withIdentity: false, withOffer: false)] }, suspect.Address,
        byStream ? suspect.Id : null));

    private void Bury(Member suspect)
    {
        var suspicion = suspect.Suspicion!;
        var others = string.Join(", ", suspicion.Voices.Select(NameOf));
        var seconds = (_now - suspect.Since).TotalSeconds;
        Become(suspect, MemberStatus.Dead, _ownLink.HearsNobody(_now)
            ? $"silent for {seconds:0.0} s, as all are: this node's own link may be down"
            : $"{(suspicion.IsRefused ? "nobody listens at its port" : "no answer")} for {seconds:0.0} s, say {others}");
    }

    /// <summary>Somebody believes that a member which is heard here is dead, or the other way round: it is told, so that its word settles it.</summary>
    private void PassOn(Member member, uint incarnation) => Outbox.Enqueue(new(
        new Gossip(_self.Tag) { News = [new MemberNews(member.Tag, MemberStatus.Dead, incarnation, _self.Tag, Refused: false)] }, member.Address));

    private string NameOf(MemberTag tag) => tag == _self.Tag ? "this node" : _members.Find(tag)?.Id.Name ?? "another member";
}
