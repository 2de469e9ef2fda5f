using EdgeFirmware.Contracts;
using EdgeFirmware.Mesh.Placement;

namespace EdgeFirmware.Mesh.Negotiation;

/// <summary>Evens out an uneven site: now and then a node moves the workload that gains most, one at a time. See ADR 16 for why that ends.</summary>
public sealed partial class NegotiationCore
{
    private Instant _nextBalance;

    private void Balance(Instant now)
    {
        if (now < _nextBalance)
            return;
        _nextBalance = now + BalancePause();
        if (!Rules.Balances || now < _caughtUpAt || _departures.Count > 0 || _arrivals.Count > 0 || _starts.Count > 0 || IsEvacuating || _ownOffer is null)
            return;
        (WorkloadRecord Record, Deliberation Deliberation, Candidate Best, double Gain)? found = null;
        var looks = 0;
        foreach (var record in Movable(Rules.BalanceResidence, now))
        {
            if (TenureOf(record.Id) is { ByUser: true } tenure && tenure.Stayed(now) < Rules.WishHolds)
                continue;
            if (++looks > LooksMax)
                break;
            var deliberation = Deliberate(record, Trigger.Balance, now);
            if (BestPeer(record.Spec, deliberation) is not { } best)
                continue;
            var gain = deliberation.Here!.Cost - best.Cost;
            if (found is null || gain > found.Value.Gain)
                found = (record, deliberation, best, gain);
        }
        if (found is not var (moved, why, to, _))
            return;
        Depart(
            moved, moved.Epoch + 1, $"balance: cost {to.Cost:0.0} on {to.Node.Name}, {(why.Here!.IsFit ? $"{why.Here.Cost:0.0} here" : why.Here.Why)}",
            Guid.Empty, null, now, why);
    }

    private TimeSpan BalancePause() => Rules.BalanceIntervalMin + ((Rules.BalanceIntervalMax - Rules.BalanceIntervalMin) * _random.NextDouble());
}
