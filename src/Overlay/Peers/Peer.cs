using System.Net;
using EdgeFirmware.Contracts;
using EdgeFirmware.Overlay.Sealing;
using EdgeFirmware.Overlay.Sessions;

namespace EdgeFirmware.Overlay.Peers;

/// <summary>Another node: where it may be met, the keys shared with it, and the conversation with it, which outlives them.</summary>
internal sealed class Peer(NodeId id) : IDisposable
{
    /// <summary>Addresses it may have; the one that was heard of longest ago makes room.</summary>
    private const int RemotesMax = 8;

    /// <summary>Greetings go out fast, then ever slower.</summary>
    private static readonly TimeSpan GreetFirst = TimeSpan.FromMilliseconds(500), GreetMax = TimeSpan.FromSeconds(30);

    private readonly List<Remote> _remotes = [];
    private TimeSpan _pause = GreetFirst;

    public NodeId Id => id;

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
    public Instant TellRunAt { get; set; } = Instant.Never;

    /// <summary>When something was last said, by either side.</summary>
    public Instant UsedAt { get; set; }

    /// <summary>Why the way in use is the one in use.</summary>
    public string LastWhy { get; private set; } = "";

    public long Switches { get; private set; }

    public IReadOnlyList<Remote> Remotes => _remotes;

    /// <param name="link">On which it is; only a link-local address is bound to it.</param>
    /// <returns>Whether that is new.</returns>
    public bool Learn(IPEndPoint address, int link)
    {
        var remote = new Remote(address, address.Address.IsIPv6LinkLocal ? link : 0);
        var isKnown = _remotes.Remove(remote);
        _remotes.Add(remote);
        if (_remotes.Count > RemotesMax)
            _remotes.RemoveAt(0);
        return !isKnown;
    }

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
        _pause = _pause * 2 < GreetMax ? _pause * 2 : GreetMax;
    }

    /// <summary>There are keys; the third datagram may have to be said again.</summary>
    public void StopWanting() => GreetAt = Instant.Never;

    /// <summary>It knows this node's run, and so has all of the handshake.</summary>
    public void RunIsTold() => TellRunAt = Instant.Never;

    /// <summary>The keys that go with an index here.</summary>
    public SealedSession? KeysOf(ushort index) => Keys?.OwnIndex == index ? Keys : FormerKeys?.OwnIndex == index ? FormerKeys : null;

    /// <summary>There are new keys; the former ones open what is on its way.</summary>
    /// <returns>Keys that are used no more.</returns>
    public SealedSession? Agree(SealedSession keys, Instant now)
    {
        var gone = FormerKeys;
        (FormerKeys, Keys, AgreedAt) = (Keys, keys, now);
        TellRunAt = now;
        return gone;
    }

    /// <summary>It has said which run of it this is.</summary>
    /// <returns>The session that ended with the former run; <c>null</c> when it is the same one.</returns>
    public SessionCore? RunIs(ulong run)
    {
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
    internal readonly record struct Remote(IPEndPoint Address, int Link);
}
