using EdgeFirmware.Contracts.Mesh;

namespace EdgeFirmware.Mesh.Membership;

/// <summary>The members a node knows: found by tag, drawn at random, in the order of the probing ring; and a hash of them all.</summary>
internal sealed class MemberTable(MemberTag self, Random random)
{
    private readonly Dictionary<MemberTag, Member> _byTag = [];
    private readonly List<Member> _reachable = [];
    private readonly List<Member> _suspects = [];
    private readonly List<Member> _dead = [];

    /// <summary>Reachable members in the order of their tags.</summary>
    private readonly List<Member> _ring = [];
    private readonly uint[] _parts = new uint[Digest.PartsCount];

    public int Count => _byTag.Count;

    public IReadOnlyCollection<Member> All => _byTag.Values;

    public IReadOnlyList<Member> Reachable => _reachable;

    public IReadOnlyList<Member> Suspects => _suspects;

    public IReadOnlyList<Member> Dead => _dead;

    /// <summary>Of all reachable members but this node, the XOR of their hashes: changed in one step, whatever the order.</summary>
    public uint Hash { get; private set; }

    public IReadOnlyList<uint> Parts => _parts;

    public Member? Find(MemberTag tag) => _byTag.GetValueOrDefault(tag);

    /// <summary>Adds a member that is not reachable yet.</summary>
    public void Add(Member member)
    {
        member.Status = MemberStatus.Left;
        _byTag.Add(member.Tag, member);
    }

    public void Remove(Member member)
    {
        SetStatus(member, MemberStatus.Left);
        _byTag.Remove(member.Tag);
    }

    public void SetStatus(Member member, MemberStatus status)
    {
        var (wasReachable, before) = (member.IsReachable, member.Status);
        member.Status = status;
        if (member.IsReachable != wasReachable)
            if (wasReachable)
                Lose(member);
            else
                Gain(member);
        Keep(_suspects, member, before == MemberStatus.Suspect, status == MemberStatus.Suspect);
        Keep(_dead, member, before == MemberStatus.Dead, status == MemberStatus.Dead);
        Changed(member);
    }

    /// <summary>What enters the hash may have changed: status, incarnation, boot or offer.</summary>
    public void Changed(Member member)
    {
        var hash = member.IsReachable ? HashOf(member.Tag, member.Incarnation, member.Boot, member.Offer?.Offer.Version ?? 0) : 0;
        var difference = member.Hash ^ hash;
        member.Hash = hash;
        Hash ^= difference;
        _parts[PartOf(member.Tag)] ^= difference;
    }

    public static uint HashOf(MemberTag tag, uint incarnation, uint boot, uint offer)
    {
        var hash = new StableHash();
        hash.Add(tag.Value);
        hash.Add(incarnation);
        hash.Add(boot);
        hash.Add(offer);
        return hash.Value;
    }

    public static int PartOf(MemberTag tag) => (int)(tag.Value % Digest.PartsCount);

    public Member? PickReachable() => _reachable.Count == 0 ? null : _reachable[random.Next(_reachable.Count)];

    public Member? PickDead() => _dead.Count == 0 ? null : _dead[random.Next(_dead.Count)];

    /// <summary>Up to <paramref name="count"/> different members that are fit, at random.</summary>
    public void Pick(List<Member> into, int count, Func<Member, bool> isFit)
    {
        into.Clear();
        if (_reachable.Count <= 4 * count)
        {
            foreach (var member in _reachable)
                if (isFit(member))
                    into.Add(member);
            Shuffle(into);
            if (into.Count > count)
                into.RemoveRange(count, into.Count - count);
            return;
        }
        for (var tries = 4 * count; tries > 0 && into.Count < count; tries--)
            if (_reachable[random.Next(_reachable.Count)] is var member && isFit(member) && !into.Contains(member))
                into.Add(member);
    }

    /// <summary>The next member after this node on the ring that nobody suspects. Each member is thus probed by exactly one other in every
    /// period, which random choice does not give (SWIM, section 4.3, bounds it by a whole round).</summary>
    public Member? Successor()
    {
        var start = IndexOf(self);
        for (var i = 0; i < _ring.Count; i++)
            if (_ring[(start + i) % _ring.Count] is { Status: MemberStatus.Alive } next)
                return next;
        return null;
    }

    public void Shuffle(List<Member> members)
    {
        for (var i = members.Count - 1; i > 0; i--)
        {
            var other = random.Next(i + 1);
            (members[i], members[other]) = (members[other], members[i]);
        }
    }

    private void Gain(Member member)
    {
        member.ReachableIndex = _reachable.Count;
        _reachable.Add(member);
        _ring.Insert(IndexOf(member.Tag), member);
    }

    private void Lose(Member member)
    {
        var last = _reachable[^1];
        _reachable[member.ReachableIndex] = last;
        last.ReachableIndex = member.ReachableIndex;
        _reachable.RemoveAt(_reachable.Count - 1);
        member.ReachableIndex = -1;
        _ring.RemoveAt(IndexOf(member.Tag));
    }

    /// <summary>Where the tag is on the ring, or would be.</summary>
    private int IndexOf(MemberTag tag)
    {
        var (low, high) = (0, _ring.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_ring[middle].Tag.CompareTo(tag) < 0)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    private static void Keep(List<Member> list, Member member, bool was, bool isNow)
    {
        if (was && !isNow)
            list.Remove(member);
        else if (isNow && !was)
            list.Add(member);
    }
}
