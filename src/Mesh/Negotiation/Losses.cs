using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;

namespace EdgeFirmware.Mesh.Negotiation;

/// <summary>Which members are gone for good, as far as one node can tell: a member that is not heard is dead, or cut off, or the node that
/// does not hear it is. See ADR 6.</summary>
internal sealed class Losses(NegotiationTiming timing, Instant began)
{
    private readonly Dictionary<NodeId, (MemberStatus Status, Instant Since)> _gone = [];
    private readonly HashSet<NodeId> _present = [];
    private Instant _lastReturn;

    public void MembersAre(IReadOnlyList<MemberView> members, Instant now)
    {
        var before = _gone.ToDictionary();
        _gone.Clear();
        _present.Clear();
        foreach (var member in members)
            if (member.Status is MemberStatus.Dead or MemberStatus.Left)
                _gone[member.Id] = (member.Status, before.TryGetValue(member.Id, out var known) ? known.Since : now);
            else
            {
                _present.Add(member.Id);
                if (before.ContainsKey(member.Id))
                    _lastReturn = now; // where one comes back from, more may be on their way
            }
    }

    public bool IsLost(NodeId node, Instant now)
    {
        if (_present.Contains(node) || IsCutOff(now) || now - _lastReturn < timing.RescueConfirmation)
            return false;
        return _gone.TryGetValue(node, out var gone) ? now - gone.Since >= timing.RescueConfirmation : now - began >= timing.StrangerPatience;
    }

    /// <summary>Whether this node rather takes itself for the one that is away.</summary>
    private bool IsCutOff(Instant now)
    {
        var lost = _gone.Values.Count(gone => gone.Status == MemberStatus.Dead && now - gone.Since < timing.IsolationPatience);
        return lost > _present.Count + 1;
    }
}
