using System.Net;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mesh.Wire;

namespace EdgeFirmware.Mesh.Membership;

/// <summary>What is told to whom.</summary>
public sealed partial class MembershipCore
{
    /// <summary>Members asked for at once.</summary>
    public const int WantsMax = 64;

    private const int GoodbyesMax = 64;

    /// <summary>Datagrams that a whole view is told in; what does not fit is found by comparing.</summary>
    private const int ViewDatagramsMax = 8;

    private readonly UpdateQueue _updates = new();
    private readonly List<Member> _targets = [];
    private readonly Func<NewsEntry, MemberNews> _makeNews;
    private readonly Func<NewsKind, int> _sends;
    private Instant _nextGossip = Instant.Never;
    private Instant _lastGossip;

    /// <summary>Entries that fill a datagram.</summary>
    public int SummaryEntriesMax => (NewsBytesMax(new Summary(_self.Tag, 0, default, default, []))) / SummaryEntry.WireBytes;

    private int NewsBytesMax(GossipMessage message) => _profile.DatagramBytesMax - DatagramSeal.Overhead - message.WireBytes;

    private void SpreadStatus(Member member)
    {
        member.StatusNews = _updates.Add(member, NewsKind.Status, member.StatusNews);
        Gossip();
    }

    private void SpreadOffer(Member member)
    {
        member.OfferNews = _updates.Add(member, NewsKind.Offer, member.OfferNews);
        Gossip();
    }

    /// <summary>Soon when there has been no round for a while, else with the next.</summary>
    private void Gossip() => _nextGossip = Instant.Min(_nextGossip, Later(_now + (_profile.GossipInterval * 0.2), _lastGossip + _profile.GossipInterval));

    private static Instant Later(Instant a, Instant b) => a > b ? a : b;

    private void GossipRound()
    {
        _lastGossip = _now;
        _members.Pick(_targets, _profile.GossipFanout, static _ => true);
        foreach (var target in _targets)
            if (!_updates.IsEmpty)
                Send(new Gossip(_self.Tag), target.Address, target);
        _nextGossip = _updates.IsEmpty || _targets.Count == 0 ? Instant.Never : _now + _profile.GossipInterval;
    }

    private int SendsOf(NewsKind kind) =>
        MembershipProfile.Retransmits(kind == NewsKind.Status ? _profile.StatusRetransmits : _profile.OfferRetransmits, _members.Reachable.Count + 1);

    /// <summary>Who is alive goes with its address: somebody may not have met it.</summary>
    private static MemberNews MakeNews(NewsEntry entry) =>
        entry.Member.ToNews(withIdentity: entry.Kind == NewsKind.Status && entry.Member.Status == MemberStatus.Alive, withOffer: entry.Kind == NewsKind.Offer);

    /// <summary>Sends with news aboard; the receiver always learns what is wrongly believed of it, so that it can refute.</summary>
    private void Send(GossipMessage message, IPEndPoint to, Member? about)
    {
        if (_updates.IsEmpty && about is not { Status: not MemberStatus.Alive })
        {
            Outbox.Enqueue(new(message, to));
            return;
        }
        var news = new List<MemberNews>();
        var room = NewsBytesMax(message);
        if (about is { Status: not MemberStatus.Alive } && about.ToNews(withIdentity: false, withOffer: false) is var belief)
        {
            news.Add(belief);
            room -= belief.WireBytes;
        }
        _updates.Take(news, message is Gossip ? byte.MaxValue : _profile.PiggybackMax, room, _makeNews, _sends);
        Outbox.Enqueue(new(message with { News = news }, to));
    }

    private void SayHello(IPEndPoint? to) =>
        Outbox.Enqueue(new(new Hello(_self.Tag) { News = [_self.ToNews(withIdentity: true, withOffer: false)] }, to));

    private void SendView(IPEndPoint to, Member? receiver)
    {
        var view = new List<Member>(_members.Count + 1) { _self };
        if (receiver is not null)
            view.Add(receiver);
        foreach (var member in _members.All)
            if (member != receiver)
                view.Add(member);
        SendAll(view, to, asView: true);
    }

    private void SendAll(List<Member> members, IPEndPoint to, bool asView)
    {
        GossipMessage message = asView ? new View(_self.Tag) : new Gossip(_self.Tag);
        var news = new List<MemberNews>();
        var (room, sent) = (NewsBytesMax(message), 0);
        foreach (var member in members)
            for (var part = member.Offer is null ? 1 : 0; part < 2; part++)
            {
                // First who it is, then what it offers: they may not fit together.
                var one = member.ToNews(withIdentity: part == (member.Offer is null ? 1 : 0), withOffer: part == 1);
                if (one.WireBytes > room)
                {
                    Outbox.Enqueue(new(message with { News = news }, to));
                    if (++sent >= ViewDatagramsMax)
                        return;
                    (news, room) = ([], NewsBytesMax(message));
                }
                news.Add(one);
                room -= one.WireBytes;
            }
        if (news.Count > 0)
            Outbox.Enqueue(new(message with { News = news }, to));
    }

    private void HandleSummary(Summary summary, IPEndPoint from)
    {
        List<Member> newer = [];
        List<MemberTag> wanted = [];
        List<(Member Member, uint Incarnation)> claimed = [];
        _comparison.Compare(summary, newer, wanted, claimed);
        foreach (var entry in summary.Entries)
            if (entry.Member == _self.Tag)
                RefuteIfWrong(new MemberNews(entry.Member, entry.Status, entry.Incarnation, summary.Sender, Refused: false)
                {
                    Identity = new MemberIdentity(_self.Id, _self.Address, entry.Boot),
                }, from);
        wanted.Remove(_self.Tag);
        foreach (var (member, incarnation) in claimed)
            PassOn(member, incarnation);
        SendAll(newer, from, asView: true);
        for (var i = 0; i < wanted.Count; i += WantsMax)
            Outbox.Enqueue(new(new Want(_self.Tag, wanted.GetRange(i, Math.Min(WantsMax, wanted.Count - i))), from));
    }

    private void Tell(Want want, IPEndPoint to)
    {
        var known = new List<Member>(want.Members.Count);
        foreach (var tag in want.Members)
            if (tag == _self.Tag)
                known.Add(_self);
            else if (_members.Find(tag) is { } member)
                known.Add(member);
        SendAll(known, to, asView: true);
    }

    /// <summary>News may be of members this node has not met.</summary>
    private void Ask(IPEndPoint from)
    {
        if (_unknown.Count == 0)
            return;
        Outbox.Enqueue(new(new Want(_self.Tag, [.. _unknown]), from));
        _unknown.Clear();
    }
}
