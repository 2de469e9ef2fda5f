using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Peers;

namespace EdgeFirmware.Mesh.Site;

/// <summary>One conversation in which two nodes bring each other to the same state. Each side answers a turn with a turn; the opener ends it
/// when neither has anything left to say.</summary>
public sealed class SiteExchange
{
    /// <summary>Summaries, documents and lists, certificates, and once more for what came in between.</summary>
    private const int TurnsMax = 8;

    private readonly SiteCore _core;
    private readonly NodeId _peer;
    private readonly bool _isOpener;
    private readonly bool _mayOnlyRenew;
    private SiteSummary? _theirs;
    private bool _hasShown;
    private bool _hasAsked;
    private int _turns;

    internal SiteExchange(SiteCore core, NodeId peer, bool isOpener, bool mayOnlyRenew)
    {
        _core = core;
        _peer = peer;
        _isOpener = isOpener;
        _mayOnlyRenew = mayOnlyRenew;
    }

    /// <summary>The opener's first turn.</summary>
    public IReadOnlyList<SiteMessage> Open(Instant now) => [_core.Summary(now), new SiteTurn()];

    /// <returns>The answer, or <c>null</c> when everything is said.</returns>
    /// <exception cref="PeerException">The peer breaks the protocol.</exception>
    public IReadOnlyList<SiteMessage>? Answer(IReadOnlyList<SiteMessage> turn, Instant now)
    {
        if (++_turns > TurnsMax)
            throw new PeerException($"{_peer} does not come to an end");
        var answer = new List<SiteMessage>();
        if (!_isOpener && _turns == 1)
            answer.Add(_core.Summary(now));
        foreach (var message in turn)
            Take(message, answer, now);
        if (_theirs is null)
            throw new PeerException($"{_peer} does not say what it has");
        // Only what the peer knows can be renewed: it has been told what there is, or has the same.
        var isKnown = _hasShown || _theirs.Members == _core.Directory.Digest;
        if (!_hasShown)
            Show(_theirs, answer);
        if (!_hasAsked && isKnown && _core.RenewalFor(_theirs) is { } renewal)
        {
            _hasAsked = true;
            answer.Add(renewal);
        }
        if (_isOpener && answer.Count == 0)
            return null;
        answer.Add(new SiteTurn());
        return answer;
    }

    private void Take(SiteMessage message, List<SiteMessage> answer, Instant now)
    {
        var fault = "";
        switch (message)
        {
            case SiteSummary summary:
                _theirs = summary;
                if (!_mayOnlyRenew)
                    _core.ClockHeard(_peer, summary.Clock, now);
                _core.PeerIssues(_peer, summary.Issues);
                break;
            case SiteRevocations list:
                fault = _core.RevocationsCame(list.Document, _peer, now);
                break;
            case SiteKeys keys:
                fault = _core.KeysCame(keys.Document, _peer, _theirs?.SendsWith ?? 0, now);
                break;
            case SiteMember member:
                fault = _core.CertificateCame(member.Certificate, now);
                break;
            case SiteMembers members:
                Want(members.Prints, answer);
                break;
            case SiteWanted wanted:
                Give(wanted.Prints, answer);
                break;
            case SiteRenewal renewal:
                answer.Add(_core.Renew(_peer, renewal.CertificateRequest, now));
                break;
            case SiteRefusal refusal:
                _core.RenewalRefused(_peer, refusal.Why);
                break;
        }
        if (fault.Length > 0)
            throw new PeerException($"{_peer} sent {fault}");
    }

    private void Show(SiteSummary theirs, List<SiteMessage> answer)
    {
        _hasShown = true;
        if (_core.Revocations.Number > theirs.Revocations)
            answer.Add(new SiteRevocations(_core.Revocations.Bytes));
        if (_core.Keys.Number > theirs.Keys && !_mayOnlyRenew)
            answer.Add(new SiteKeys(_core.Keys.Bytes));
        if (_core.Directory.Digest == theirs.Members)
            return;
        var prints = new List<ulong>(_core.Directory.Members.Count);
        foreach (var member in _core.Directory.Members.Values)
            prints.Add(MemberDirectory.PrintOf(member));
        answer.Add(new SiteMembers(prints));
    }

    private void Want(IReadOnlyList<ulong> prints, List<SiteMessage> answer)
    {
        var known = _core.Directory.Prints();
        var wanted = new List<ulong>();
        foreach (var print in prints)
            if (wanted.Count < SiteMessage.WantedMax && !known.Contains(print))
                wanted.Add(print);
        if (wanted.Count > 0)
            answer.Add(new SiteWanted(wanted));
    }

    private void Give(IReadOnlyList<ulong> prints, List<SiteMessage> answer)
    {
        var wanted = new HashSet<ulong>(prints);
        foreach (var member in _core.Directory.Members.Values)
            if (wanted.Contains(MemberDirectory.PrintOf(member)))
                answer.Add(new SiteMember(member.Der));
    }
}
