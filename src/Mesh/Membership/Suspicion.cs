using EdgeFirmware.Contracts;

namespace EdgeFirmware.Mesh.Membership;

/// <summary>How long a member stays suspect before it counts as dead: the more members suspect it independently, the shorter (Lifeguard, Dadgar,
/// Phillips, Currey 2018, section IV.B).</summary>
internal sealed class Suspicion
{
    private static readonly TimeSpan LastCall = TimeSpan.FromMilliseconds(100);

    /// <summary>A timer that fires later than this says that the node was held up.</summary>
    private static readonly TimeSpan LatenessMax = TimeSpan.FromMilliseconds(50);

    private readonly MemberTag[] _voices;
    private int _voicesCount;
    private readonly TimeSpan _min;
    private readonly TimeSpan _max;
    private readonly TimeSpan _refused;
    private readonly int _confirmations;
    private Instant _began;
    private Instant? _lastCall;
    private bool _knockedHalfway;

    /// <param name="memberCount">This node and the suspect included.</param>
    public Suspicion(MemberTag by, bool refused, MembershipProfile profile, int memberCount, Instant now)
    {
        var scale = MembershipProfile.ScaleOf(memberCount);
        _min = profile.SuspicionMin * scale;
        _max = profile.SuspicionMax * scale;
        _refused = profile.SuspicionRefused * scale;
        // Where there are not so many others, all of them.
        _confirmations = Math.Clamp(memberCount - 2, 0, profile.Confirmations);
        _voices = new MemberTag[_confirmations + 1];
        _began = now;
        Hear(by, refused);
    }

    /// <summary>Who joined in last: the others have been passed on.</summary>
    public MemberTag Latest => _voices[_voicesCount - 1];

    public IReadOnlyList<MemberTag> Voices => _voices.AsSpan(0, _voicesCount).ToArray();

    public bool IsRefused { get; private set; }

    /// <summary>When to ask <see cref="Look"/>.</summary>
    public Instant NextLook => _lastCall ?? (_knockedHalfway ? TimeIsUp : Halfway);

    private Instant Halfway => _began + ((TimeIsUp - _began) / 2);

    private Instant TimeIsUp
    {
        get
        {
            if (IsRefused)
                return _began + _refused;
            var share = _confirmations == 0 ? 1 : Math.Log(_voicesCount) / Math.Log(_confirmations + 1);
            return _began + (_max - ((_max - _min) * share));
        }
    }

    /// <summary>Another member, or the same one, says so.</summary>
    /// <returns>Whether that is worth passing on.</returns>
    public bool Hear(MemberTag by, bool refused)
    {
        var known = Array.IndexOf(_voices, by, 0, _voicesCount) >= 0 || _voicesCount == _voices.Length;
        if (!known)
            _voices[_voicesCount++] = by;
        var isSharper = refused && !IsRefused;
        IsRefused |= refused;
        return !known || isSharper;
    }

    /// <summary>What is due. A node that was stopped finds its timers run out and a word against the suspicion still in its socket: so the time being
    /// up only makes the last call, and that must end in time.</summary>
    public Verdict Look(Instant now)
    {
        if (now < NextLook)
            return Verdict.Wait;
        if (now < TimeIsUp)
        {
            _knockedHalfway = true;
            return Verdict.Knock;
        }
        var isOver = _lastCall is { } call && now - call <= LatenessMax;
        _lastCall = now + LastCall;
        return isOver ? Verdict.Dead : Verdict.Knock;
    }

    /// <summary>This node was deaf for that long: the suspect's answer may have passed unheard.</summary>
    public void Extend(TimeSpan deaf)
    {
        _began += deaf;
        _lastCall = null;
    }
}

internal enum Verdict
{
    Wait,

    /// <summary>Whoever suspects it asks the suspect itself: its word may have missed this node.</summary>
    Knock,

    Dead,
}
