using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;

namespace EdgeFirmware.Mesh.Membership;

/// <summary>Anti-entropy: finds out what two views differ in and no more is sent than that. Every answer to a probe carries a hash of the view; when
/// these keep differing, both compare hashes of parts, then summaries of the parts that differ, then send what the other lacks.</summary>
internal sealed class ViewComparison(MemberTable members, MembershipProfile profile)
{
    /// <summary>News is under way most of the time in a large site: only a difference that stays is looked into.</summary>
    private const int DifferencesNeeded = 3;

    /// <summary>Summaries that one digest is answered with; the rest is found at the next.</summary>
    private const int SummariesMax = 16;

    private Instant _next;
    private int _differences;

    public uint ViewOf(SummaryEntry self) => members.Hash ^ HashOf(self);

    /// <returns>Whether it is time to compare with who answered.</returns>
    public bool IsDue(uint theirs, SummaryEntry self, Instant now)
    {
        _differences = theirs == ViewOf(self) ? 0 : _differences + 1;
        if (_differences < DifferencesNeeded || now < _next)
            return false;
        _differences = 0;
        _next = now + profile.SyncInterval;
        return true;
    }

    public Digest DigestOf(SummaryEntry self)
    {
        var parts = new uint[Digest.PartsCount];
        for (var i = 0; i < parts.Length; i++)
            parts[i] = members.Parts[i];
        parts[MemberTable.PartOf(self.Member)] ^= HashOf(self);
        return new Digest(self.Member, parts);
    }

    /// <summary>What this node has of the parts in which the digest differs from its own.</summary>
    public IEnumerable<Summary> Summaries(Digest theirs, SummaryEntry self, int entriesMax)
    {
        var own = DigestOf(self).Parts;
        var sent = 0;
        for (var part = 0; part < Digest.PartsCount; part++)
        {
            if (own[part] == theirs.Parts[part])
                continue;
            var entries = new List<SummaryEntry>();
            if (MemberTable.PartOf(self.Member) == part)
                entries.Add(self);
            foreach (var member in members.All)
                if (MemberTable.PartOf(member.Tag) == part)
                    entries.Add(member.ToEntry());
            entries.Sort(static (a, b) => a.Member.CompareTo(b.Member));
            var from = default(MemberTag);
            for (var i = 0; i == 0 || i < entries.Count; i += entriesMax)
            {
                if (++sent > SummariesMax)
                    yield break;
                var some = entries.GetRange(i, Math.Min(entriesMax, entries.Count - i));
                var to = i + entriesMax >= entries.Count ? new MemberTag(MemberTag.Max) : some[^1].Member;
                yield return new Summary(self.Member, (byte)part, from, to, some);
                from = new MemberTag(to.Value + 1);
            }
        }
    }

    /// <summary>Compares a summary with what is known here.</summary>
    /// <param name="newer">Takes members of which this node knows better, or the other nothing.</param>
    /// <param name="wanted">Takes members of which the other knows better.</param>
    /// <param name="claimed">Takes members that the other takes for dead and this node does not.</param>
    public void Compare(Summary theirs, List<Member> newer, List<MemberTag> wanted, List<(Member Member, uint Incarnation)> claimed)
    {
        var listed = new HashSet<MemberTag>(theirs.Entries.Count);
        foreach (var entry in theirs.Entries)
        {
            if (!listed.Add(entry.Member))
                continue;
            if (members.Find(entry.Member) is not { } known)
            {
                if (entry.Status is MemberStatus.Alive or MemberStatus.Suspect)
                    wanted.Add(entry.Member);
            }
            else if (IsNewer(entry.Status, entry.Incarnation, known))
            {
                if (entry.Status == MemberStatus.Dead && known.IsReachable)
                    claimed.Add((known, entry.Incarnation));
                else
                    wanted.Add(entry.Member);
            }
            else if (entry.Boot == known.Boot && entry.Offer > (known.Offer?.Offer.Version ?? 0) && known.IsReachable)
            {
                wanted.Add(entry.Member);
            }
            else if (IsOlder(entry, known))
            {
                newer.Add(known);
            }
        }
        foreach (var member in members.Reachable)
            if (MemberTable.PartOf(member.Tag) == theirs.Part && member.Tag.CompareTo(theirs.From) >= 0 && member.Tag.CompareTo(theirs.To) <= 0
                && !listed.Contains(member.Tag))
                newer.Add(member);
    }

    /// <summary>SWIM's order: a higher incarnation wins; within one, alive &lt; suspect &lt; dead or left.</summary>
    public static bool IsNewer(MemberStatus status, uint incarnation, Member known) =>
        incarnation != known.Incarnation
            ? incarnation > known.Incarnation && (known.IsReachable || status is MemberStatus.Alive or MemberStatus.Suspect)
            : status > known.Status && known.IsReachable;

    private static bool IsOlder(SummaryEntry theirs, Member known)
    {
        if (!known.IsReachable && theirs.Status is not (MemberStatus.Alive or MemberStatus.Suspect))
            return false; // gone for both: how long ago does not matter
        if (known.Incarnation != theirs.Incarnation)
            return known.Incarnation > theirs.Incarnation;
        return known.Status > theirs.Status && known.Status != MemberStatus.Dead
            || (known.Boot == theirs.Boot && known.IsReachable && (known.Offer?.Offer.Version ?? 0) > theirs.Offer);
    }

    private static uint HashOf(SummaryEntry self) =>
        self.Status is MemberStatus.Alive ? MemberTable.HashOf(self.Member, self.Incarnation, self.Boot, self.Offer) : 0;
}
