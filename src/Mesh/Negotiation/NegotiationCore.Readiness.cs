using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mesh.Placement;

namespace EdgeFirmware.Mesh.Negotiation;

/// <summary>A node that has work keeps conversations open with those it would ask first. When it is overloaded, a handshake takes longer than all else
/// in the selection of a peer.</summary>
public sealed partial class NegotiationCore
{
    private Instant _nextReady;

    private void KeepReady(Instant now)
    {
        if (now < _nextReady || !_timing.KeepsReady)
            return;
        _nextReady = now + _timing.ReadyInterval;
        if (Movable(TimeSpan.Zero, now) is not [var heaviest, ..])
            return;
        var deliberation = Deliberate(heaviest, Trigger.Asked, now);
        var judged = _members.Values.Where(member => member.Status == MemberStatus.Alive).Select(member => JudgePeer(heaviest.Spec, deliberation, member.Id, member.Offer));
        foreach (var candidate in PlacementPolicy.Rank(judged).Take(_timing.AsksMax))
            Outbox.Enqueue(new Prepare(candidate.Node));
    }
}
