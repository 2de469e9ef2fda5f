using EdgeFirmware.Contracts;

namespace EdgeFirmware.Mesh.Membership;

/// <summary>Whether this node hears the site.</summary>
public enum Reach
{
    /// <summary>It hears all or most of those it knew.</summary>
    Whole,

    /// <summary>It has lost more members within a minute than it still hears: it may be on the smaller side of a broken link.</summary>
    Minority,

    /// <summary>It knew several and hears nobody: its own link, rather than all of them.</summary>
    CutOff,
}

/// <summary>Tells the crash of a neighbour from the loss of this node's own uplink. One node cannot; but when others still speak and agree that a
/// member is silent it is the member, and when all fall silent at once it is this node.</summary>
internal sealed class OwnLink(MemberTable members, MembershipProfile profile, Instant start)
{
    /// <summary>Losses that count together.</summary>
    private static readonly TimeSpan Recent = TimeSpan.FromMinutes(1);

    /// <summary>Of a pair each is all that the other hears: silence tells them nothing.</summary>
    private const int KnownMin = 2;

    private Instant _heard = start;

    public Reach Reach { get; private set; }

    public void Heard(Instant now) => _heard = now;

    public bool HearsNobody(Instant now) => members.Reachable.Count + members.Dead.Count >= KnownMin && now - _heard > profile.SuspicionMin;

    public void Look(Instant now)
    {
        if (members.Dead.Count == 0 && Reach == Reach.Whole && !HearsNobody(now))
            return;
        var lost = 0;
        foreach (var member in members.Dead)
            if (now - member.Since < Recent)
                lost++;
        if (HearsNobody(now))
            Reach = Reach.CutOff;
        else if (lost > members.Reachable.Count + 1)
            Reach = Reach.Minority;
        else if (Reach == Reach.CutOff || members.Reachable.Count >= members.Dead.Count || lost == 0)
            Reach = Reach.Whole;
    }
}
