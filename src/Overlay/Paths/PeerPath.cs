using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Overlay.Links;
using EdgeFirmware.Overlay.Relaying;
using EdgeFirmware.Overlay.Sealing;

namespace EdgeFirmware.Overlay.Paths;

/// <summary>What is known of one way to a peer: whether it leads there, how fast, how surely, and what was sent over it and not acknowledged yet.</summary>
internal sealed class PeerPath
{
    /// <summary>Doublings of <see cref="HoldDownFirst"/>.</summary>
    private const int LossesMax = 6;

    /// <summary>After it was lost for the first time; twice as long each time it was lost again.</summary>
    private static readonly TimeSpan HoldDownFirst = TimeSpan.FromSeconds(5);

    /// <summary>Of a path that has never been lost.</summary>
    private static readonly TimeSpan HoldDownNew = TimeSpan.FromSeconds(1);

    /// <summary>A loss is forgotten when the path has held for so long.</summary>
    private static readonly TimeSpan Forgiving = TimeSpan.FromMinutes(10);

    /// <summary>Nothing is acknowledged for so long although it should be: the path is in doubt. At least, for a peer that is busy.</summary>
    private static readonly TimeSpan StallMin = TimeSpan.FromMilliseconds(150), StallMax = TimeSpan.FromSeconds(1);

    private readonly ProbePace _pace;
    private readonly Proof _proof = new();
    private readonly LossWindow _loss = new();
    private Instant _goodSince;
    private Instant _forgivenAt;
    private Instant _awaitingSince = Instant.Never;
    private Instant _pingSentAt = Instant.Never;
    private ushort _ping;
    private int _losses;
    private int _samples;

    public PeerPath(PathKey key, string link, LinkKind kind, Instant now)
    {
        Key = key;
        LinkName = link;
        Kind = kind;
        Pace = PathPace.Of(kind);
        Load = new PathLoad(this, now);
        _pace = ProbePace.Of(kind);
        NextPingAt = now;
    }

    public PathKey Key { get; }

    /// <summary>For persons.</summary>
    public string LinkName { get; }

    /// <summary>Of the slowest link on the way.</summary>
    public LinkKind Kind { get; }

    /// <summary>Links on the way, as far as that is known.</summary>
    public int Hops { get; set; } = 1;

    /// <summary>That a datagram is longer by than what it has to say.</summary>
    public int Overhead => PacketSeal.Overhead + (Key.IsRelayed ? RelayedHeader.Overhead : 0);

    public PathLoad Load { get; }

    public RoundTripEstimate RoundTrip { get; } = new();

    /// <summary>The link has carrier and address.</summary>
    public bool IsUp { get; private set; } = true;

    /// <summary>The peer has answered over it, and nothing says that it would not now.</summary>
    public bool IsUsable => IsUp && _proof.Holds == true;

    /// <summary>It has answered the last time it was asked, though it may not be trusted again yet.</summary>
    public bool IsAnswering => IsUp && _loss is { Ratio: not null, Missed: 0 };

    public double Loss => _loss.Ratio ?? 0;

    /// <summary>When the peer last showed that something sent over it had come.</summary>
    public Instant ConfirmedAt { get; private set; } = new(long.MinValue);

    /// <summary>When to ask whether it still leads there.</summary>
    public Instant NextPingAt { get; private set; }

    /// <summary>An answer that the peer waits for, over this path.</summary>
    public ushort? PongDue { get; set; }

    public TimeSpan HoldDown => _losses == 0 ? HoldDownNew : HoldDownFirst * (1 << Math.Min(_losses - 1, LossesMax));

    /// <summary>The next thing that happens by the clock alone.</summary>
    public Instant NextWakeup => Instant.Min(NextPingAt, Instant.Min(
        _pingSentAt == Instant.Never ? Instant.Never : _pingSentAt + PingPatience,
        Instant.Min(Load.TimeoutAt(Patience), IsUsable && !IsDoubted ? StalledAt : Instant.Never)));

    /// <summary>How long to wait for an acknowledgement: RFC 6298, and what a peer may hold it back.</summary>
    public TimeSpan Patience
    {
        get
        {
            var usual = RoundTrip.Smoothed is { } smoothed ? smoothed + (RoundTrip.Variation ?? TimeSpan.Zero) * 4 : RoundTripEstimate.PatienceFirst / 2;
            return Clamp(usual, TimeSpan.FromMilliseconds(30), StallMax) + Pace.AckDelay * 2;
        }
    }

    public PathPace Pace { get; }

    /// <summary>Asked to prove itself at once since something speaks against it.</summary>
    public bool IsDoubted { get; private set; }

    private TimeSpan PingPatience => RoundTrip.Patience(_loss.Missed);

    private Instant StalledAt => _awaitingSince == Instant.Never ? Instant.Never : _awaitingSince + StallPatience;

    private TimeSpan StallPatience => Clamp(Patience * 2, StallMin, StallMax);

    public bool IsStalled(Instant now) => now >= StalledAt;

    /// <summary>How long it has led there without a doubt.</summary>
    public TimeSpan GoodFor(Instant now) => IsUsable ? now - _goodSince : TimeSpan.Zero;

    /// <summary>How long nothing has been acknowledged that was sent over it.</summary>
    public TimeSpan SilentFor(Instant now) => _awaitingSince == Instant.Never ? TimeSpan.Zero : now - _awaitingSince;

    /// <summary>The link has lost or got back its carrier or address.</summary>
    public void LinkIs(bool isUp, Instant now)
    {
        if (isUp == IsUp)
            return;
        IsUp = isUp;
        if (isUp)
        {
            // What was true before says nothing now: it has to answer, and only then counts again.
            _proof.Forget();
            NextPingAt = now;
            return;
        }
        if (_proof.Holds == true)
            WasLost(now);
        _proof.Forget();
        Calm();
        (NextPingAt, _pingSentAt) = (Instant.Never, Instant.Never);
    }

    /// <summary>Something that the peer has to acknowledge goes out over it.</summary>
    public void Expect(Instant now)
    {
        if (_awaitingSince == Instant.Never)
            _awaitingSince = now;
    }

    /// <summary>It is left for another: all that is under way is to be sent over that one.</summary>
    public void Leave()
    {
        Load.LoseAll();
        Calm();
    }

    /// <summary>The peer was met over it.</summary>
    public void Met(Instant now)
    {
        _loss.Add(isLost: false, isAlive: _proof.Holds == true);
        Confirm(now, isSample: false, now);
        Schedule(now);
    }

    /// <summary>The peer has what was sent over it.</summary>
    public void Confirm(Instant sentAt, bool isSample, Instant now)
    {
        if (isSample)
            Sample(now - sentAt);
        ConfirmedAt = now;
        _awaitingSince = Load.IsIdle ? Instant.Never : now;
        IsDoubted = false;
        Answered(now);
    }

    /// <summary>Something speaks against it: it is asked at once, and again soon.</summary>
    public void Doubt(Instant now)
    {
        if (IsDoubted || !IsUp)
            return;
        IsDoubted = true;
        AskSoon(now);
    }

    /// <summary>Something is to be heard from the peer.</summary>
    public void AskSoon(Instant now)
    {
        if (IsUp && _pingSentAt == Instant.Never)
            NextPingAt = now;
    }

    /// <summary>A ping goes out.</summary>
    public ushort Ping(Instant now)
    {
        (_pingSentAt, NextPingAt) = (now, Instant.Never);
        return ++_ping;
    }

    public void Pong(ushort id, Instant now)
    {
        if (id != _ping || _pingSentAt == Instant.Never)
            return; // late: its ping counts as lost already
        var sentAt = _pingSentAt;
        _pingSentAt = Instant.Never;
        _loss.Add(isLost: false, isAlive: _proof.Holds == true);
        Confirm(sentAt, isSample: true, now);
        Schedule(now);
    }

    /// <summary>Lets a ping go that was not answered in time; the path may be lost by that.</summary>
    public void Advance(Instant now)
    {
        if (_pingSentAt == Instant.Never || now < _pingSentAt + PingPatience)
            return;
        _pingSentAt = Instant.Never;
        _loss.Add(isLost: true, isAlive: false);
        var held = _proof.Holds == true;
        // What came through meanwhile speaks for it.
        if (ConfirmedAt + PingPatience < now)
            _proof.Lost(_loss.SilenceNeeded);
        IsDoubted &= _proof.Holds != false; // it has been asked, and is asked no more often than others that are dead
        Schedule(now);
        if (held && _proof.Holds == false)
            WasLost(now);
    }

    /// <summary>It did not carry what was sent over it while another did: it is given up without waiting for pings.</summary>
    public void GiveUp(Instant now)
    {
        _proof.Lost(needed: 1);
        WasLost(now);
        Calm();
        Schedule(now);
    }

    /// <summary>The first one may contain the time in which the neighbour's link-layer address was found: the second replaces it.</summary>
    private void Sample(TimeSpan roundTrip)
    {
        if (++_samples == 2)
            RoundTrip.Forget();
        RoundTrip.Add(roundTrip);
    }

    private void Answered(Instant now)
    {
        var held = _proof.Holds == true;
        _proof.Answered(now);
        if (!held && _proof.Holds == true)
            (_goodSince, _forgivenAt) = (now, now);
        if (_losses > 0 && IsUsable && now - _forgivenAt >= Forgiving)
            (_losses, _forgivenAt) = (_losses - 1, now);
    }

    private void WasLost(Instant now)
    {
        _losses = Math.Min(_losses + 1, LossesMax + 1);
        _forgivenAt = now;
        RoundTrip.Forget();
        _samples = 0;
    }

    private void Calm() => (IsDoubted, _awaitingSince) = (false, Instant.Never);

    private void Schedule(Instant now) =>
        NextPingAt = !IsUp ? Instant.Never : now + (IsDoubted || _proof is { Holds: true, IsSure: false } ? _pace.Doubt : _proof.IsSure && _proof.Holds == false ? _pace.Dead
            : _proof.Holds == true ? _pace.Sure : _pace.Doubt);

    private static TimeSpan Clamp(TimeSpan value, TimeSpan min, TimeSpan max) => value < min ? min : value > max ? max : value;
}
