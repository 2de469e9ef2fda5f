using System.Net;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mesh.Placement;

namespace EdgeFirmware.Mesh.Negotiation;

/// <summary>Whoever cannot take a workload can ask its own neighbours (platform paper, section 5, level 0). An ask goes on at most
/// <see cref="Ask.HopsMax"/> times, to at most <see cref="NegotiationTiming.AsksMax"/> nodes each, and each node handles a lease once: a loop
/// ends where it began.</summary>
public sealed partial class NegotiationCore
{
    /// <summary>Asks of others under way at once.</summary>
    private const int ReferralsMax = 64;

    /// <summary>Asks passed on, by lease.</summary>
    private readonly Dictionary<Guid, PassedAsk> _passed = [];

    private sealed class PassedAsk(NodeId asker, HashSet<NodeId> awaited, Instant until)
    {
        public NodeId Asker { get; } = asker;

        public HashSet<NodeId> Awaited { get; } = awaited;

        public Instant Until { get; } = until;

        public NodeId? GrantedBy { get; set; }
    }

    /// <summary>Nobody this node knows can take it, as far as it knows: others may know better. Not when all are heard and just have no room.</summary>
    private bool AskNeighboursOfOthers(Departure departure, List<Candidate> judged, Instant now)
    {
        if (departure.HasAskedOthers || departure.IsForHolders || departure.Only is not null || departure.Rounds >= RoundsMax)
            return false;
        var hasGaps = departure.HasMetSilence || departure.MustLeave || !departure.HasCopy;
        foreach (var candidate in judged)
            hasGaps |= _members[candidate.Node].Offer is null;
        if (!hasGaps)
            return false;
        departure.HasAskedOthers = true;
        var helpers = Helpers(default, default);
        if (helpers.Count == 0)
            return false;
        var asks = new List<(NodeId, Guid)>(helpers.Count);
        foreach (var helper in helpers)
            asks.Add((helper, NewStep()));
        departure.BeginAsking(asks, now);
        foreach (var (helper, lease) in departure.Asked)
            Send(helper, new Ask(lease, departure.Record.Spec, departure.NextEpoch, ImageArchitecture, departure.Why, Hops: Ask.HopsMax));
        return true;
    }

    /// <summary>The nearest members, other than those two.</summary>
    private List<NodeId> Helpers(NodeId origin, NodeId asker)
    {
        var alive = new List<MemberView>();
        foreach (var member in _members.Values)
            if (member.Status == MemberStatus.Alive && member.Id != origin && member.Id != asker)
                alive.Add(member);
        alive.Sort((a, b) => (a.RoundTrip ?? TimeSpan.MaxValue).CompareTo(b.RoundTrip ?? TimeSpan.MaxValue) is var by && by != 0 ? by : a.Id.CompareTo(b.Id));
        var nearest = new List<NodeId>(_timing.AsksMax);
        for (var i = 0; i < alive.Count && i < _timing.AsksMax; i++)
            nearest.Add(alive[i].Id);
        return nearest;
    }

    /// <returns>Whether somebody is asked, and the sender will hear of it.</returns>
    private bool PassOn(Ask ask, NodeId origin, NodeId from, Instant now)
    {
        if (_passed.TryGetValue(ask.Lease, out var known))
            return known.Asker == from; // repeated: the answer is on its way; from another it is a loop
        if (_passed.Count >= ReferralsMax)
            return false;
        var fit = new List<Candidate>();
        foreach (var member in _members.Values)
            if (member.Status == MemberStatus.Alive && member.Id != origin && member.Id != from)
                fit.Add(PlacementPolicy.Judge(ask.Spec, member.Id, member.Offer, member.RoundTrip, ask.ImageArchitecture));
        var asked = new List<NodeId>(_timing.AsksMax);
        foreach (var candidate in PlacementPolicy.Rank(fit))
            if (asked.Count < _timing.AsksMax)
                asked.Add(candidate.Node);
        var hops = 0;
        if (asked.Count == 0 && ask.Hops > 1)
        {
            hops = ask.Hops - 1;
            asked = Helpers(origin, from);
        }
        if (asked.Count == 0)
            return false;
        _passed.Add(ask.Lease, new PassedAsk(from, [.. asked], now + _timing.AskTimeout));
        Tell("passed-on", ask.Spec.Id, $"{origin.Name} asks whether anybody can take it");
        foreach (var node in asked)
            Send(node, ask with { Origin = origin, Hops = hops, OrHold = false });
        return true;
    }

    /// <returns>Whether it answers an ask that was passed on.</returns>
    private bool PassBack(Grant grant, NodeId from) =>
        _members.TryGetValue(from, out var member) && PassBack(new Referral(grant.Lease, from, member.Address.ToString(), grant.Offer), from);

    private bool PassBack(Referral referral, NodeId from)
    {
        if (!_passed.TryGetValue(referral.Lease, out var passed) || !passed.Awaited.Contains(from))
            return false;
        if (passed.GrantedBy is { } first && first != from)
            return false; // one is enough: the lease of the other is cancelled
        passed.GrantedBy = from;
        Send(passed.Asker, referral);
        return true;
    }

    private void PassBack(Refuse refuse, NodeId from)
    {
        if (_passed.TryGetValue(refuse.Lease, out var passed) && passed.Awaited.Remove(from) && passed.Awaited.Count == 0)
            Send(passed.Asker, refuse with { Why = $"nor can a neighbour of {_self.Name}: {(refuse.Why.Length > 200 ? refuse.Why[..200] : refuse.Why)}" });
    }

    private void PassOnCancel(Cancel cancel, NodeId from)
    {
        if (_passed.TryGetValue(cancel.Lease, out var passed) && passed.Asker == from && _passed.Remove(cancel.Lease))
            foreach (var node in passed.Awaited)
                Send(node, cancel);
    }

    /// <summary>A third node grants. It is talked to directly from now on: what is sent there does not go through the one who found it.</summary>
    private void HandleReferral(Referral referral, NodeId from, Instant now)
    {
        if (FindAsking(from, referral.Lease) is not { } departure)
        {
            if (!PassBack(referral, from) && !_departures.Values.Any(other => other.Lease == referral.Lease))
                Send(from, new Cancel(referral.Lease));
            return;
        }
        var node = referral.Node;
        var candidate = JudgePeer(departure.Record.Spec, departure.Deliberation, node, referral.Offer);
        var why = node == _self ? "itself" : departure.Asked.ContainsKey(node) ? "named by another already"
            : IsKnownGone(node) ? "which is gone" : candidate.IsFit ? "" : candidate.Why;
        if (why.Length > 0)
        {
            Send(from, new Cancel(referral.Lease));
            departure.Refused(from, $"named {node.Name}: {why}");
        }
        else
        {
            if (!_members.ContainsKey(node))
                Outbox.Enqueue(new Introduce(node, IPEndPoint.Parse(referral.Address)));
            departure.Referred(from, candidate, referral.Lease, now);
            Tell("referred", departure.Record.Id, $"{from.Name} found {node.Name}");
        }
        ChooseIfReady(departure, now);
    }

    private void ExpireReferrals(Instant now)
    {
        foreach (var (lease, passed) in _passed)
            if (passed.Until <= now)
                _passed.Remove(lease);
    }
}
