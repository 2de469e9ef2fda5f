using System.Net;
using EdgeFirmware.Contracts;

namespace EdgeFirmware.Mesh.Membership;

/// <summary>When and where to look for members nobody tells of: seeds that no member lives at, members thought dead, the multicast groups. The more
/// members look, the less often each does: the site as a whole knocks a few times a second while somebody is missing.</summary>
internal sealed class Seeker(IReadOnlyList<IPEndPoint> seeds, MembershipProfile profile, MemberTable members, Random random, Instant start)
{
    /// <summary>A member or seed that has been away this long is sought a quarter as often.</summary>
    private static readonly TimeSpan LongAway = TimeSpan.FromMinutes(10);

    private TimeSpan _patience = profile.SeekMin;
    private Instant _next = start;
    private Instant _nextCall = start;
    private Instant _someoneCame = start;

    public Instant NextWakeup => Instant.Min(_next, _nextCall);

    /// <summary>A member is back from the dead: where it was, more may be.</summary>
    public void SomebodyCame(Instant now)
    {
        _someoneCame = now;
        if (members.Dead.Count > 0)
            _next = Instant.Min(_next, now + profile.GossipInterval);
    }

    /// <param name="knock">Where to say hello; <c>null</c> = the multicast groups.</param>
    public void Advance(Instant now, Action<IPEndPoint?> knock)
    {
        var isAlone = members.Reachable.Count == 0;
        if (_nextCall <= now)
        {
            knock(null);
            _nextCall = now + (isAlone ? Patience() : profile.CallInterval * ((members.Reachable.Count + 1) * (0.5 + random.NextDouble())));
        }
        if (_next > now)
            return;
        if (members.PickDead() is { } dead)
            knock(dead.Address);
        foreach (var seed in seeds)
            if (isAlone || (!IsInhabited(seed) && random.Next(seeds.Count) == 0))
                knock(seed);
        _next = now + Patience();

        TimeSpan Patience()
        {
            if (isAlone)
                return _patience = Clamp(_patience * 1.5, profile.SeekMin, profile.SeekMin * 20);
            _patience = profile.SeekMin;
            var each = TimeSpan.FromSeconds((members.Reachable.Count + 1) / profile.SeekRate) * (now - _someoneCame > LongAway ? 4 : 1);
            return Clamp(each, profile.SeekMin * 20, profile.SeekMax) * (0.5 + random.NextDouble());
        }
    }

    private static TimeSpan Clamp(TimeSpan value, TimeSpan min, TimeSpan max) => value < min ? min : value > max ? max : value;

    private bool IsInhabited(IPEndPoint seed)
    {
        foreach (var member in members.Reachable)
            if (member.Address.Equals(seed))
                return true;
        return false;
    }
}
