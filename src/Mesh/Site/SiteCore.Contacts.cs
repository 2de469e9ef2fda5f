using System.Net;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;

namespace EdgeFirmware.Mesh.Site;

/// <summary>With whom to compare, and when.</summary>
public sealed partial class SiteCore
{
    /// <summary>Others asked about at the same time; more come later.</summary>
    private const int UnknownSignersMax = 256;

    /// <summary>A newcomer is asked by everybody, by so many nodes in a second on average.</summary>
    private const double AskersASecond = 16;

    /// <summary>When each is to be asked for its certificate.</summary>
    private readonly Dictionary<NodeId, Instant> _unknownSigners = [];
    private Instant _nextQuestion;
    private readonly HashSet<NodeId> _issuers = [];
    private IReadOnlyList<MemberView> _members = [];
    private Instant _nextCompare;
    private Instant _waveAt = Instant.Never;
    private NodeId? _waveFrom;
    private int _wavesLeft;
    private Instant _nextStrange;
    private Instant _nextRenewal;
    private int _seed;

    /// <summary>Without this node.</summary>
    public void MembersAre(IReadOnlyList<MemberView> members, Instant now)
    {
        var wasAlone = !HasAlive();
        _members = members;
        if (wasAlone && HasAlive())
            _nextCompare = now + Soon(); // a node that comes back asks one it has met what has happened
    }

    /// <summary>A datagram came under a key that is not held here: perhaps this node's keys are old, or the sender's.</summary>
    public void StrangeDatagram(IPEndPoint from, Instant now)
    {
        if (now < _nextStrange)
            return;
        _nextStrange = now + _timing.StrangeDatagrams;
        Outbox.Enqueue(new Contact(null, from));
    }

    /// <summary>A statement cannot be judged without that node's certificate.</summary>
    public void SignerUnknown(NodeId signer, Instant now)
    {
        if (_unknownSigners.ContainsKey(signer) || _directory.Members.ContainsKey(signer) || _directory.ShutOut.Contains(signer) || Find(signer) is null)
            return;
        if (_unknownSigners.Count >= UnknownSignersMax)
            _unknownSigners.Clear();
        _unknownSigners[signer] = now + Soon() + (TimeSpan.FromSeconds(_members.Count / AskersASecond) * _random.NextDouble());
    }

    private Instant NextQuestion
    {
        get
        {
            var next = Instant.Never;
            foreach (var at in _unknownSigners.Values)
                next = Instant.Min(next, at);
            return next > _nextQuestion ? next : _nextQuestion;
        }
    }

    /// <summary>One at a time: whoever answers brings what it knows of the others.</summary>
    private void AskForCertificate(Instant now)
    {
        if (NextQuestion > now)
            return;
        foreach (var (signer, at) in _unknownSigners)
        {
            if (at > now)
                continue;
            if (Find(signer) is not { Status: MemberStatus.Alive } member)
            {
                _unknownSigners.Remove(signer); // it is asked when it is back and offers something
                continue;
            }
            _unknownSigners[signer] = now + _timing.UnknownSigner;
            _nextQuestion = now + Soon();
            Outbox.Enqueue(new Contact(signer, member.Address));
            return;
        }
    }

    private TimeSpan Soon() => _timing.Settle * (0.25 + (0.5 * _random.NextDouble()));

    internal void PeerIssues(NodeId peer, bool issues)
    {
        if (!issues)
            _issuers.Remove(peer);
        else if (_issuers.Count < UnknownSignersMax)
            _issuers.Add(peer);
    }

    /// <summary>This is news to others too.</summary>
    private void Push(NodeId? from, Instant now)
    {
        _waveFrom = from;
        _wavesLeft = 2;
        _waveAt = now;
    }

    private void Compare(Instant now)
    {
        if (_waveAt <= now)
        {
            _waveAt = --_wavesLeft > 0 ? now + _timing.SecondWave : Instant.Never;
            ContactSome(_timing.Fanout, _waveFrom);
        }
        if (_nextCompare > now)
            return;
        var alone = !HasAlive();
        var interval = alone ? _timing.CompareAlone : _timing.Compare;
        _nextCompare = now + interval * (0.75 + _random.NextDouble() / 2);
        ContactSome(alone ? _timing.Fanout : 1, null);
    }

    /// <summary>Members that are alive, at random; when there are none, seeds in turn and members that were.</summary>
    private void ContactSome(int count, NodeId? but)
    {
        var candidates = new List<Contact>();
        var alive = HasAlive();
        foreach (var member in _members)
            if ((!alive || member.Status == MemberStatus.Alive) && member.Id != but && !_directory.ShutOut.Contains(member.Id))
                candidates.Add(new Contact(member.Id, member.Address));
        for (; count > 0 && candidates.Count > 0; count--)
        {
            var chosen = _random.Next(candidates.Count);
            Outbox.Enqueue(candidates[chosen]);
            candidates.RemoveAt(chosen);
        }
        for (; !alive && count > 0 && _start.Seeds.Count > 0; count--)
            Outbox.Enqueue(new Contact(null, _start.Seeds[_seed++ % _start.Seeds.Count]));
    }

    private bool HasAlive()
    {
        foreach (var member in _members)
            if (member.Status == MemberStatus.Alive)
                return true;
        return false;
    }

    private MemberView? Find(NodeId id)
    {
        foreach (var member in _members)
            if (member.Id == id)
                return member;
        return null;
    }
}
