using System.Net;
using EdgeFirmware.Contracts;
using EdgeFirmware.Overlay.Relaying;
using EdgeFirmware.Overlay.Sealing;
using EdgeFirmware.Overlay.Sessions;

namespace EdgeFirmware.Overlay.Peers;

/// <summary>Another node: where it may be met, the keys shared with it, and the conversation with it, which outlives them.</summary>
internal sealed class Peer(NodeId id) : IDisposable
{
    /// <summary>Addresses it may have; the one that was heard of longest ago makes room.</summary>
    private const int RemotesMax = 8;

    /// <summary>Of them where it was met: what anybody can say takes the place of the others only.</summary>
    private const int ProvenMax = 6;

    /// <summary>Second datagrams looked at for each time that it was greeted: each costs an agreement, and anybody can make one.</summary>
    private const int SecondsMax = 16;

    /// <summary>Greetings go out fast, then ever slower.</summary>
    private static readonly TimeSpan GreetFirst = TimeSpan.FromMilliseconds(500), GreetMax = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan TellFirst = TimeSpan.FromMilliseconds(300);

    private readonly List<Remote> _remotes = [];
    private TimeSpan _pause = GreetFirst;
    private TimeSpan _tellPause;
    private int _secondsLeft;
    private ulong? _runOfKeys;
    private ulong? _runOfFormerKeys;

    public NodeId Id => id;

    /// <summary>The node to relays.</summary>
    public int Handle { get; } = NodeHandle.Of(id);

    public Neighbour Near { get; } = new();

    public SessionCore Session { get; private set; } = new();

    /// <summary>Messages of ours for a session that is not there yet wait in <see cref="Session"/>: it needs no path for that.</summary>
    public bool IsMet { get; private set; }

    /// <summary>The keys that are used.</summary>
    public SealedSession? Keys { get; private set; }

    /// <summary>What the peer may still use.</summary>
    public SealedSession? FormerKeys { get; private set; }

    /// <summary>On <see cref="Keys"/>.</summary>
    public Instant AgreedAt { get; private set; }

    /// <summary>Since when something is to be said and no way answers; <see cref="Instant.Never"/>: it is not so.</summary>
    public Instant CutOffSince { get; set; } = Instant.Never;

    public HandshakeInitiator? Greeting { get; private set; }

    /// <summary>Of <see cref="Greeting"/>, here.</summary>
    public ushort GreetingIndex { get; private set; }

    /// <summary>When to say it again, or to begin.</summary>
    public Instant GreetAt { get; private set; } = Instant.Never;

    /// <summary>Which run of it the session is with; <c>null</c> before it has said so.</summary>
    public ulong? Run { get; private set; }

    /// <summary>When to tell it this node's run again; <see cref="Instant.Never"/>: it knows.</summary>
    public Instant TellRunAt { get; private set; } = Instant.Never;

    /// <summary>When something was last said, by either side.</summary>
    public Instant UsedAt { get; set; }

    /// <summary>Why the way in use is the one in use.</summary>
    public string LastWhy { get; private set; } = "";

    public long Switches { get; private set; }

    public IReadOnlyList<Remote> Remotes => _remotes;

    /// <summary>It may be there, and nothing was ever said to it.</summary>
    public bool IsHeardOnly => Keys is null && Session.IsIdle;

    /// <summary>Nothing is to be said to it; routes, only when it is there.</summary>
    public bool IsQuiet => Session.IsIdle || (Near.Direct is null && Session.IsIdleBut(OverlayCore.RoutesLane));

    /// <param name="link">On which it is; only a link-local address is bound to it.</param>
    /// <param name="isProven">It was met there.</param>
    /// <returns>Whether that is new.</returns>
    public bool Learn(IPEndPoint address, int link, bool isProven)
    {
        var bound = address.Address.IsIPv6LinkLocal ? link : 0;
        var at = _remotes.FindIndex(remote => remote.Link == bound && remote.Address.Equals(address));
        var known = at < 0 ? default : _remotes[at];
        if (at >= 0)
            _remotes.RemoveAt(at);
        _remotes.Add(new Remote(address, bound, isProven || known.IsProven));
        if (_remotes.Count > RemotesMax)
        {
            var drop = _remotes.Count(static remote => remote.IsProven) > ProvenMax;
            _remotes.RemoveAt(_remotes.FindIndex(remote => remote.IsProven == drop));
        }
        return at < 0;
    }

    /// <summary>Whether another second datagram may be looked at.</summary>
    public bool TakeSecond() => _secondsLeft-- > 0;

    /// <summary>A session with it is wanted, or another one: it is greeted now and then ever slower, until <see cref="StopWanting"/>.</summary>
    public void Want(Instant now)
    {
        if (GreetAt == Instant.Never)
            WantAtOnce(now);
    }

    /// <summary>There is reason to hope that it hears this time.</summary>
    public void WantAtOnce(Instant now) => (GreetAt, _pause) = (now, GreetFirst);

    public void Begin(HandshakeInitiator greeting, ushort index)
    {
        Greeting?.Dispose();
        (Greeting, GreetingIndex) = (greeting, index);
    }

    /// <summary>It has been greeted over every way.</summary>
    public void Greeted(Instant now)
    {
        GreetAt = now + _pause;
        _secondsLeft = SecondsMax;
        _pause = _pause * 2 < GreetMax ? _pause * 2 : GreetMax;
    }

    /// <summary>There are keys; the third datagram may have to be said again.</summary>
    public void StopWanting() => GreetAt = Instant.Never;

    /// <summary>It is told this node's run, fast at first: it may be gone.</summary>
    public void TellsRun(Instant now) => (TellRunAt, _tellPause) = (now + _tellPause, _tellPause * 2 < GreetMax ? _tellPause * 2 : GreetMax);

    /// <summary>There is reason to hope that it hears this time.</summary>
    public void TellRunAtOnce(Instant now)
    {
        if (TellRunAt != Instant.Never)
            (TellRunAt, _tellPause) = (now, TellFirst);
    }

    /// <summary>It knows this node's run, and so has all of the handshake that led to these keys.</summary>
    public void RunIsTold(SealedSession keys) => TellRunAt = keys == Keys ? Instant.Never : TellRunAt;

    /// <summary>For what is sent: the former keys until the peer surely has the others, and knows whose they are.</summary>
    public SealedSession? SendingKeys => TellRunAt == Instant.Never ? Keys : FormerKeys ?? Keys;

    /// <summary>Whether what comes with these keys is of the run that the session is with. Before that is known, or with keys of an earlier run, its numbers mean
    /// other messages.</summary>
    public bool IsOfThisRun(SealedSession keys) => Run is not null && Run == (keys == Keys ? _runOfKeys : _runOfFormerKeys);

    /// <summary>The keys that go with an index here.</summary>
    public SealedSession? KeysOf(ushort index) => Keys?.OwnIndex == index ? Keys : FormerKeys?.OwnIndex == index ? FormerKeys : null;

    /// <summary>There are new keys; the former ones open what is on its way.</summary>
    /// <returns>Keys that are used no more.</returns>
    public SealedSession? Agree(SealedSession keys, Instant now)
    {
        var gone = FormerKeys;
        (FormerKeys, Keys, AgreedAt) = (Keys, keys, now);
        (_runOfFormerKeys, _runOfKeys) = (_runOfKeys, null);
        (TellRunAt, _tellPause) = (now, TellFirst);
        return gone;
    }

    /// <summary>It has said which run of it this is.</summary>
    /// <returns>The session that ended with the former run; <c>null</c> when it is the same one, or when that was said with keys older than those of the run that is
    /// known: somebody has held it back.</returns>
    public SessionCore? RunIs(ulong run, SealedSession keys)
    {
        if (run != Run && (keys == Keys ? _runOfKeys : _runOfFormerKeys ?? _runOfKeys) is not null)
            return null;
        if (keys == Keys)
            _runOfKeys = run;
        else
            _runOfFormerKeys = run;
        var former = Run;
        (Run, IsMet) = (run, true);
        if (former is null || former == run)
            return null;
        var ended = Session;
        Session = new SessionCore();
        return ended;
    }

    public void HasSwitched(string why) => (LastWhy, Switches) = (why, Switches + 1);

    public void Dispose()
    {
        Greeting?.Dispose();
        Keys?.Dispose();
        FormerKeys?.Dispose();
    }

    /// <param name="Link">0: any that leads there.</param>
    internal readonly record struct Remote(IPEndPoint Address, int Link, bool IsProven);
}
