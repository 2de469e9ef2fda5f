using System.Net;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Links;

namespace EdgeFirmware.Overlay.Links;

/// <summary>What is asked over one link again and again: one of several addresses, of which any may answer.</summary>
internal sealed class Question
{
    private IReadOnlyList<IPEndPoint> _targets = [];
    private int _at;
    private IPEndPoint? _witness;
    private int _outstanding;
    private Instant _askedAt;

    /// <summary>When to ask next; <see cref="Instant.Never"/> while an answer is outstanding or nobody need be asked.</summary>
    public Instant NextAt { get; private set; } = Instant.Never;

    public Proof Proof { get; } = new();

    public RoundTripEstimate RoundTrip { get; } = new();

    public LossWindow Loss { get; } = new();

    public bool HasTargets => _targets.Count > 0;

    /// <summary>The one whose turn it is.</summary>
    public IPEndPoint Target => _targets[_at % _targets.Count];

    /// <summary>The one to name to a person: who answered last, else whose turn it is.</summary>
    public IPEndPoint Witness => _witness ?? Target;

    /// <summary>Begins with the first again if they are others.</summary>
    public void TargetsAre(IReadOnlyList<IPEndPoint> targets)
    {
        var isSame = targets.Count == _targets.Count;
        for (var i = 0; isSame && i < targets.Count; i++)
            isSame = targets[i].Equals(_targets[i]);
        if (isSame)
            return;
        (_targets, _at, _witness) = (targets, 0, null);
        RoundTrip.Forget();
    }

    /// <summary>Asks at once, whatever is outstanding.</summary>
    public void Hasten(Instant now)
    {
        _outstanding = 0;
        NextAt = now;
    }

    /// <param name="isWanted">Otherwise nothing is asked.</param>
    public void Want(bool isWanted, Instant now)
    {
        if (!isWanted)
            (NextAt, _outstanding) = (Instant.Never, 0);
        else if (NextAt == Instant.Never && _outstanding == 0)
            NextAt = now;
    }

    public void Forget()
    {
        Proof.Forget();
        RoundTrip.Forget();
        Loss.Forget();
        (NextAt, _outstanding, _at) = (Instant.Never, 0, 0);
    }

    public ProbeRequest Ask(int id, KernelLink link, bool isGateway, Instant now)
    {
        (_outstanding, _askedAt, NextAt) = (id, now, Instant.Never);
        return new ProbeRequest(id, link, Target, isGateway, RoundTrip.Patience(Loss.Missed));
    }

    public bool Awaits(int id) => _outstanding == id && id != 0;

    /// <summary>Takes what was measured; what it proves is the caller's to say.</summary>
    /// <param name="isAnswered"><c>null</c>: nothing was sent.</param>
    /// <param name="isAlive">What the answer is to prove is believed by now.</param>
    public void Answer(bool? isAnswered, TimeSpan? roundTrip, bool isAlive)
    {
        _outstanding = 0;
        if (isAnswered is not { } answered)
            return;
        Loss.Add(!answered, isAlive);
        if (answered && roundTrip is { } sample)
            RoundTrip.Add(sample);
        if (answered)
            _witness = Target;
        else
            _at = (_at + 1) % Math.Max(1, _targets.Count);
    }

    /// <param name="interval">From the last question to the next.</param>
    public void Next(TimeSpan interval, Instant now)
    {
        var at = _askedAt + interval;
        NextAt = at > now ? at : now;
    }
}

/// <summary>A probe for the shell to make; its answer is handed back under <paramref name="Id"/>.</summary>
/// <param name="Id">Positive, of this core.</param>
internal sealed record ProbeRequest(int Id, KernelLink Link, IPEndPoint Target, bool IsGateway, TimeSpan Patience);
