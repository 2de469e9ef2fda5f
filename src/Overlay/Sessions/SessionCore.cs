using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Overlay.Paths;

namespace EdgeFirmware.Overlay.Sessions;

/// <summary>The conversation with one peer: lanes of messages, each delivered once and in order, over whichever path leads there. What is sent is not bound to
/// a path, so that a change of path loses, doubles and reorders nothing. Of sealing it knows what that adds to a packet; nothing of sockets and disks.</summary>
internal sealed partial class SessionCore
{
    /// <summary>Lane 0 is the most urgent.</summary>
    public const int LanesMax = 8;

    /// <summary>A path for each pair of a link and an address of the peer.</summary>
    public const int PathsMax = 16;

    /// <summary>A frame lost takes the whole datagram with it: beyond this loss a datagram is one frame.</summary>
    private const double FragmentLossMax = 0.02;

    /// <summary>How often it is looked whether a better path has held for long enough.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);

    /// <summary>How often a peer is asked that has everything and does not say that it dealt with it: it may have said so, and been lost.</summary>
    private static readonly TimeSpan AskFirst = TimeSpan.FromMilliseconds(500), AskMax = TimeSpan.FromSeconds(15);

    private readonly SendLane[] _out = new SendLane[LanesMax];
    private readonly ReceiveLane[] _in = new ReceiveLane[LanesMax];
    private readonly List<PeerPath> _paths = [];
    private PeerPath? _current;
    private PeerPath? _heardOn;
    private PeerPath? _rescue;
    private Instant _askAt = Instant.Never;
    private TimeSpan _askPause = AskFirst;

    public SessionCore()
    {
        for (byte lane = 0; lane < LanesMax; lane++)
            (_out[lane], _in[lane]) = (new SendLane(lane), new ReceiveLane(lane));
    }

    /// <summary>Messages from the peer, in order for each lane; each is to be <see cref="Settle"/>d.</summary>
    public Queue<(byte Lane, ReadOnlyMemory<byte> Body)> Inbox { get; } = [];

    /// <summary>Messages with which the peer has not dealt.</summary>
    public int Waiting => _out.Sum(static lane => lane.Kept.Count());

    /// <summary>Tokens of messages with which the peer has dealt, in order for each lane.</summary>
    public Queue<long> Delivered { get; } = [];

    public Queue<PathSwitch> Switches { get; } = [];

    public IReadOnlyList<PeerPath> Paths => _paths;

    /// <summary>The one in use; <c>null</c> while the peer is not reached.</summary>
    public PeerPath? Current => _current;

    /// <summary>Frames that made no sense.</summary>
    public long Malformed { get; private set; }

    /// <summary>Nothing is under way or waits, but perhaps in one lane.</summary>
    public bool IsIdleBut(byte lane) => Array.TrueForAll(_out, other => other.Number == lane || other.IsEmpty);

    /// <summary>Nothing is under way or waits.</summary>
    public bool IsIdle => Array.TrueForAll(_out, static lane => lane.IsEmpty);

    /// <returns>Whether it was taken; otherwise there is too much already, and room when the next one is delivered.</returns>
    public bool TrySend(byte lane, ReadOnlyMemory<byte> message, long token) => _out[lane].TryPut(new OutgoingMessage(message, token));

    /// <summary>Its sender waits no longer; what has begun to go out goes out.</summary>
    public void Withdraw(byte lane, long token) => _out[lane].Withdraw(token);

    /// <summary>The oldest message of a lane that was taken from the inbox has been dealt with: only then does the peer forget it.</summary>
    public void Settle(byte lane, Instant now) => _in[lane].Settle(_heardOn?.Pace.AckDelay ?? TimeSpan.Zero, now);

    /// <summary>A way that may lead to the peer. Nothing happens when it is known, or when there are too many that lead there.</summary>
    public PeerPath? Learn(PathKey key, string link, LinkKind kind, Instant now)
    {
        if (Find(key) is { } known)
            return known;
        if (_paths.Count >= PathsMax && !MakeRoom())
            return null;
        var path = new PeerPath(key, link, kind, now);
        _paths.Add(path);
        return path;
    }

    /// <summary>A link has lost or got back its carrier or address.</summary>
    public void LinkIs(int link, bool isUp, Instant now)
    {
        foreach (var path in _paths)
            if (path.Key.Link == link)
                path.LinkIs(isUp, now);
        Choose(now);
    }

    /// <summary>A way through others is there, or is not now.</summary>
    public void PathIs(PeerPath path, bool isUp, Instant now)
    {
        path.LinkIs(isUp, now);
        Choose(now);
    }

    /// <summary>The way is there no more.</summary>
    public void Unlearn(PathKey key, Instant now)
    {
        if (Find(key) is not { } path)
            return;
        path.LinkIs(false, now);
        path.Leave(); // nobody asks it any more what is lost
        Choose(now);
        Drop(path);
    }

    /// <summary>Nothing is said: all ways are forgotten, and learnt again when there is something to say.</summary>
    public void Sleep()
    {
        foreach (var path in _paths)
            path.Leave();
        _paths.Clear();
        _current = _heardOn = _rescue = null;
    }

    /// <summary>Tokens of messages with which the peer has not dealt, in order for each lane.</summary>
    public IEnumerable<long> Undelivered => _out.SelectMany(static lane => lane.Kept).Select(static message => message.Token);

    /// <summary>When to call <see cref="Advance"/> and to poll even if nothing arrives.</summary>
    public Instant NextWakeup(Instant now)
    {
        var next = Instant.Never;
        foreach (var path in _paths)
            next = Instant.Min(next, path.NextWakeup);
        if (WayBack is not null)
            foreach (var lane in _in)
                next = Instant.Min(next, lane.AckAt);
        if (_current is null)
            return next;
        next = Instant.Min(next, _askAt);
        if (HasData)
            next = Instant.Min(next, _current.Load.ReadyAt(now));
        return _paths.Count > 1 ? Instant.Min(next, now + Look) : next;
    }

    /// <summary>Where acknowledgements go: by the way on which the peer was heard, for it may know more of it.</summary>
    private PeerPath? WayBack => _heardOn is { IsUp: true } ? _heardOn : _current;

    public void Advance(Instant now)
    {
        foreach (var path in _paths)
        {
            path.Advance(now);
            path.Load.FindLost(path.Patience, now);
            if (path is { IsUsable: true, IsDoubted: false } && path.IsStalled(now))
                DoubtFrom(path, now);
        }
        Choose(now);
        AskWhetherSettled(now);
    }

    private void AskWhetherSettled(Instant now)
    {
        if (!Array.Exists(_out, static lane => lane.AwaitsSettling))
            (_askAt, _askPause) = (Instant.Never, AskFirst);
        else if (_askAt == Instant.Never)
            _askAt = now + _askPause;
        else if (_askAt <= now && _current is { } current)
        {
            current.AskSoon(now);
            _askPause = _askPause * 2 < AskMax ? _askPause * 2 : AskMax;
            _askAt = now + _askPause;
        }
    }

    /// <summary>If it is the one in use all ways are asked at once, and what waits longest goes over another one as well.</summary>
    private void DoubtFrom(PeerPath silent, Instant now)
    {
        silent.Doubt(now);
        if (silent != _current)
            return;
        foreach (var path in _paths)
            path.Doubt(now);
        foreach (var path in _paths)
            if (path != _current && path.IsUsable && (_rescue is null || path.ConfirmedAt > _rescue.ConfirmedAt))
                _rescue = path;
    }

    private void Choose(Instant now)
    {
        var (path, why) = PathChoice.Of(_paths, _current, now);
        if (path == _current)
            return;
        var left = _current;
        (_current, _rescue) = (path, null);
        var hasStalled = left is { IsUsable: true } && left.IsStalled(now);
        if (hasStalled)
            left!.GiveUp(now);
        if (left is { IsUsable: false })
            left.Leave();
        Switches.Enqueue(new PathSwitch(left?.Key, left?.LinkName, path?.Key, path?.LinkName, why, hasStalled));
    }

    /// <summary>Anybody who repeats a packet from another address makes a path: one that never led there, or not for long, goes.</summary>
    private bool MakeRoom()
    {
        PeerPath? least = null;
        foreach (var path in _paths)
            if (path != _current && path != _heardOn && !path.IsUsable && (least is null || path.ConfirmedAt < least.ConfirmedAt))
                least = path;
        if (least is null)
            return false;
        least.Leave();
        Drop(least);
        return true;
    }

    private void Drop(PeerPath path)
    {
        _paths.Remove(path);
        if (_heardOn == path)
            _heardOn = null;
        if (_rescue == path)
            _rescue = null;
    }

    private PeerPath? Find(PathKey key)
    {
        foreach (var path in _paths)
            if (path.Key == key)
                return path;
        return null;
    }
}
