using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mesh.Placement;

namespace EdgeFirmware.Mesh.Negotiation;

/// <summary>Who takes what leaves: asks, grants, counter-offers, refusals, and the choice.</summary>
public sealed partial class NegotiationCore
{
    /// <summary>Rounds of asking before a departure is given up: each excludes who said no.</summary>
    private const int RoundsMax = 12;

    private void AskAround(Departure departure, Instant now)
    {
        var spec = departure.Record.Spec;
        var judged = _members.Values
            .Where(member => member.Status == MemberStatus.Alive && departure.Considers(member.Id))
            .Select(member => departure.IsForHolders
                ? HoldPolicy.Judge(member.Id, member.Offer, member.RoundTrip, ImageArchitecture)
                : JudgePeer(spec, departure.Deliberation, member.Id, member.Offer))
            .ToList();
        var fit = departure.Rounds < RoundsMax ? PlacementPolicy.Rank(judged).Take(_timing.AsksMax).ToList() : [];
        if (fit.Count == 0 && departure is { HasAskedInDoubt: false, IsForHolders: false })
        {
            departure.HasAskedInDoubt = true;
            foreach (var candidate in judged)
                if (candidate.IsDoubtful && fit.Count < _timing.AsksMax)
                    fit.Add(candidate);
        }
        if (fit.Count == 0 && (TakesItself(departure, now) || AskNeighboursOfOthers(departure, judged, now)))
            return;
        if (fit.Count == 0 && departure is { MustLeave: true, IsForHolders: false })
        {
            departure.TurnToHolders();
            AskAround(departure, now);
            return;
        }
        if (fit.Count == 0)
        {
            if (!departure.HasCopy && JudgeHere(spec) is { IsFit: false } here)
                departure.Refusals.Insert(0, $"{_self.Name}: {here.Why}");
            departure.Refusals.AddRange(judged.Where(candidate => !candidate.IsFit).Select(candidate => $"{candidate.Node.Name}: {candidate.Why}"));
            Fail(departure, "no peer can take it" + Listed(departure.Refusals), now);
            return;
        }
        var asks = new List<(NodeId, Guid)>(fit.Count);
        foreach (var candidate in fit)
            asks.Add((candidate.Node, NewStep()));
        departure.BeginAsking(asks, now);
        foreach (var (peer, lease) in departure.Asked)
            Send(peer, new Ask(lease, spec, departure.NextEpoch, ImageArchitecture, departure.Why, departure.IsForHolders));
    }

    /// <summary>The own engine's architecture: an image that runs here is made for it.</summary>
    private string ImageArchitecture => _ownOffer?.Architecture ?? "";

    private static string Listed(List<string> reasons) => reasons.Count == 0 ? ": no other member is alive" : $" ({string.Join("; ", reasons)})";

    private void HandleGrant(Grant grant, NodeId from, Instant now)
    {
        if (FindAsking(from, grant.Lease) is not { } departure)
        {
            if (!PassBack(grant, from) && !_departures.Values.Any(other => other.Lease == grant.Lease))
                Send(from, new Cancel(grant.Lease));
            return;
        }
        var candidate = JudgePeer(departure.Record.Spec, departure.Deliberation, from, grant.Offer);
        if (candidate.IsFit)
            departure.Granted(candidate, now);
        else
        {
            Send(from, new Cancel(grant.Lease));
            departure.Refused(from, $"granted, but {candidate.Why}");
        }
        ChooseIfReady(departure, now);
    }

    private void HandleCounterOffer(CounterOffer counter, NodeId from, Instant now)
    {
        if (FindAsking(from, counter.Lease) is not { } departure)
        {
            if (!_departures.Values.Any(other => other.Lease == counter.Lease))
                Send(from, new Cancel(counter.Lease));
            return;
        }
        var roundTrip = _members.TryGetValue(from, out var member) ? member.RoundTrip : null;
        var candidate = HoldPolicy.Judge(from, counter.Offer, roundTrip, ImageArchitecture);
        if (departure.IsForHolders && candidate.IsFit)
            departure.CounterOffered(candidate);
        else
        {
            Send(from, new Cancel(counter.Lease));
            departure.Refused(from, departure.IsForHolders ? $"offered to hold it, but {candidate.Why}" : "offered to hold it, unasked");
        }
        ChooseIfReady(departure, now);
    }

    private void HandleRefuse(Refuse refuse, NodeId from, Instant now)
    {
        if (FindAsking(from, refuse.Lease) is not { } departure)
        {
            PassBack(refuse, from);
            return;
        }
        departure.Refused(from, refuse.Why);
        Tell("refused", departure.Record.Id, $"{from.Name}: {refuse.Why}");
        ChooseIfReady(departure, now);
    }

    private Departure? FindAsking(NodeId peer, Guid lease) =>
        _departures.Values.FirstOrDefault(departure => departure.Phase == DeparturePhase.Selecting && departure.Expects(peer, lease));

    private void ChooseIfReady(Departure departure, Instant now)
    {
        if (!departure.IsSelectionOver(now))
            return;
        var spare = departure.Choose(now);
        if (spare is null)
        {
            foreach (var silent in departure.Asked.Keys.ToList())
            {
                departure.HasMetSilence = true;
                departure.Refused(silent, "no answer");
            }
            AskAround(departure, now);
            return;
        }
        foreach (var (peer, lease) in spare)
            Send(peer, new Cancel(lease));
        departure.Phase = DeparturePhase.Transferring;
        departure.Deadline = now + _timing.TransferTimeout;
        departure.Step = Begin(WorkKind.Transfer, departure.RecordFor(departure.Peer), departure.Peer, departure.Lease);
        Tell("leaving", departure.Record.Id, $"to {departure.Peer.Name}{(departure.IsToHold ? ", which holds it" : "")}: {departure.Why}");
    }
}
