using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;

namespace EdgeFirmware.Mesh.Site;

/// <summary>Keeps a node in step with its site: who belongs to it, who no more, the gossip keys, the time. News is pushed to a few members at once,
/// each of which does the same; what that misses is found when two nodes compare.</summary>
public sealed partial class SiteCore
{
    /// <summary>Joining a site of many brings certificates one by one; they are kept together.</summary>
    private static readonly TimeSpan KeepMembersDelay = TimeSpan.FromSeconds(5);

    private readonly SiteStart _start;
    private readonly SiteTiming _timing;
    private readonly Random _random;
    private readonly MemberDirectory _directory = new();
    private readonly SiteClock _clock;
    private readonly KeyRing _keys;
    private RevocationList _revocations;
    private Certificate _own;
    private Instant _keepMembersAt = Instant.Never;
    private bool _timeWasKnown;
    private SiteView? _view;
    private int _viewRevision = -1;

    public SiteCore(SiteStart start, Random random, Instant now)
    {
        _start = start;
        _timing = start.Timing;
        _random = random;
        _own = start.Own;
        _revocations = start.Revocations;
        _keys = new KeyRing(start.Keys, start.Timing.Keys);
        // The authority has signed these at their dates: it is later.
        _clock = new SiteClock(Math.Max(start.ClockBound, Math.Max(start.Authority.NotBefore, start.Own.NotBefore)));
        _directory.Load(start.Members, start.Authority, start.Revocations);
        _directory.Apply(start.Revocations);
        _directory.Add(start.Own, start.Revocations);
        _nextCompare = now + (_timing.Settle * (2 + (2 * random.NextDouble())));
    }

    public Queue<SiteAction> Outbox { get; } = new();

    public Queue<NodeEvent> Events { get; } = new();

    public Instant NextWakeup => Instant.Min(Instant.Min(_keys.NextWakeup, _keepMembersAt), Instant.Min(NextQuestion, Instant.Min(_nextCompare, _waveAt)));

    /// <summary>What is in force; another object after a change.</summary>
    public SiteView View(Instant now)
    {
        if (_view is not null && _viewRevision == _directory.Revision && ReferenceEquals(_view.Revocations, _revocations) && ReferenceEquals(_view.Own, _own)
            && _view.Now.IsKnown == _clock.Time.IsKnown && _view.GossipKey == _keys.SendWith && _view.Enrols == Enrols && now - _view.At < TimeSpan.FromMinutes(1))
            return _view;
        var sameMembers = _viewRevision == _directory.Revision;
        _viewRevision = _directory.Revision;
        return _view = new SiteView(
            _start.Authority, _own, _revocations,
            sameMembers ? _view!.Members : new Dictionary<NodeId, Certificate>(_directory.Members),
            sameMembers ? _view!.ShutOut : new HashSet<NodeId>(_directory.ShutOut),
            _clock.Time, now, _keys.SendWith, _start.Issuer is not null, Enrols);
    }

    /// <param name="ownClock">What this machine's clock says, milliseconds since 1970.</param>
    public void Advance(long ownClock, Instant now)
    {
        _clock.Advance(ownClock, now);
        TellOfTime();
        if (_clock.IsWorthSaving)
            KeepClock();
        if (_keys.Advance(now))
        {
            Outbox.Enqueue(new UseKeys(_keys.Held, _keys.SendWith));
            Events.Enqueue(new NodeEvent("gossip-key", _start.Self.Value, $"gossip key {_keys.SendWith} is in use, {_keys.Held.Count} accepted"));
        }
        if (_keepMembersAt <= now)
        {
            _keepMembersAt = Instant.Never;
            Outbox.Enqueue(new Keep(SiteFile.Members, _directory.ToBytes()));
        }
        RenewOwn(now);
        AskForCertificate(now);
        Compare(now);
    }

    /// <summary>A conversation with a member begins.</summary>
    /// <param name="mayOnlyRenew">The peer's certificate has expired.</param>
    public SiteExchange Converse(NodeId peer, bool isOpener, bool mayOnlyRenew) => new(this, peer, isOpener, mayOnlyRenew);

    internal SiteSummary Summary(Instant now) =>
        new(_revocations.Number, _keys.Keys.Number, _keys.SendWith, _clock.OwnVote(now), _start.Issuer is not null, _directory.Digest);

    internal MemberDirectory Directory => _directory;

    internal RevocationList Revocations => _revocations;

    internal GossipKeys Keys => _keys.Keys;

    internal void ClockHeard(NodeId peer, long? clock, Instant now)
    {
        // A seed may be this node's own address: nobody agrees with itself.
        if (peer != _start.Self && !_directory.ShutOut.Contains(peer))
            _clock.Heard(peer, clock, now);
    }

    /// <returns>What is wrong with it, or empty.</returns>
    internal string RevocationsCame(byte[] document, NodeId? from, Instant now)
    {
        if (RevocationList.Read(document, _start.Authority) is not { } list)
            return "a revocation list that is not the authority's";
        if (list.Number <= _revocations.Number)
            return "";
        _revocations = list;
        Outbox.Enqueue(new Keep(SiteFile.Revocations, list.Bytes));
        foreach (var lost in _directory.Apply(list))
        {
            _clock.Forget(lost);
            Events.Enqueue(new NodeEvent("revoked", lost.Value, $"by list {list.Number} of the authority"));
        }
        _keepMembersAt = Instant.Min(_keepMembersAt, now + KeepMembersDelay);
        if (list.Has(_own.KeyHash))
            Events.Enqueue(new NodeEvent("revoked", _start.Self.Value, "this node is shut out of its site; it serves its own clients on"));
        Outbox.Enqueue(new JudgeAgain());
        Push(from, now);
        return "";
    }

    /// <inheritdoc cref="RevocationsCame"/>
    /// <param name="inUse">The gossip key that the sender seals with.</param>
    internal string KeysCame(byte[] document, NodeId? from, uint inUse, Instant now)
    {
        if (GossipKeys.Read(document, _start.Authority) is not { } keys)
            return "gossip keys that are not the authority's";
        if (!_keys.Accept(keys, isInUse: keys.Newest.Number == inUse, now))
            return "";
        Outbox.Enqueue(new Keep(SiteFile.GossipKeys, keys.Bytes));
        Outbox.Enqueue(new UseKeys(_keys.Held, _keys.SendWith));
        Push(from, now);
        return "";
    }

    /// <inheritdoc cref="RevocationsCame"/>
    internal string CertificateCame(byte[] der, Instant now)
    {
        if (Certificate.Read(der) is not { } certificate || !certificate.IsSignedBy(_start.Authority))
            return "a certificate that is not the authority's";
        TakeCertificate(certificate, now);
        return "";
    }

    private void TakeCertificate(Certificate certificate, Instant now)
    {
        if (!_directory.Add(certificate, _revocations))
            return;
        _unknownSigners.Remove(certificate.Node);
        _keepMembersAt = Instant.Min(_keepMembersAt, now + KeepMembersDelay);
        if (certificate.Node != _start.Self || certificate.KeyHash != _own.KeyHash)
            return;
        _own = certificate;
        Outbox.Enqueue(new Keep(SiteFile.Certificate, certificate.Der));
        Events.Enqueue(new NodeEvent("renewed", _start.Self.Value, $"certificate good until {DateOf(certificate.NotAfter)}"));
    }

    private void KeepClock()
    {
        _clock.Saved();
        Outbox.Enqueue(new Keep(SiteFile.Clock, new SiteWriter().U64((ulong)_clock.Bound).ToArray()));
    }

    private void TellOfTime()
    {
        if (_clock.Time.IsKnown == _timeWasKnown)
            return;
        _timeWasKnown = _clock.Time.IsKnown;
        Events.Enqueue(_timeWasKnown
            ? new NodeEvent("time-known", _start.Self.Value, $"it is {DateOf(_clock.Time.Milliseconds)}; certificates that have expired are refused")
            : new NodeEvent("time-unknown", _start.Self.Value, $"{_clock.Time.Why}; the dates in certificates do not count until it is known"));
    }

    internal static string DateOf(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds).ToString("yyyy-MM-dd HH:mm'Z'");
}
