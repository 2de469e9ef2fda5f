using System.Net;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Links;

namespace EdgeFirmware.Overlay.Links;

/// <summary>One link: what the kernel says of it, what was asked over it, and how far it therefore leads.</summary>
internal sealed class LinkState
{
    /// <summary>Gateways listen for name queries, or at least refuse them; nothing else is asked so often of them.</summary>
    private const int GatewayPort = 53;

    private readonly LinksOptions _options;
    private readonly ProbePace _pace;
    private readonly ProbeBudget _budget;
    private readonly Question _internet = new();
    private readonly Question _gateway = new();
    private bool _gatewayConnects;
    private bool _othersHeard;
    private Instant _since;
    private long _probes;
    private long _changes;

    public LinkState(KernelLink kernel, LinksOptions options, Instant now)
    {
        Kernel = kernel;
        _options = options;
        _since = now;
        _pace = ProbePace.Of(kernel.Kind);
        _budget = new ProbeBudget(kernel.Kind == LinkKind.SixLowpan, now);
        Look(now);
    }

    public KernelLink Kernel { get; private set; }

    public Verdict Verdict { get; private set; } = Verdict.SwitchedOff;

    /// <summary>Switched on, and the other end is there.</summary>
    public bool IsUp => Kernel is { IsUp: true, HasCarrier: true };

    private bool IsUsable => IsUp && Kernel.Addresses.Count > 0;

    public Instant NextWakeup => Instant.Min(_internet.NextAt, _gateway.NextAt);

    public LinkView View()
    {
        var asked = _internet.HasTargets ? _internet : _gateway;
        return new LinkView(
            Kernel, Verdict.Reach, Verdict.Why, Verdict.IsProven, asked.RoundTrip.Smoothed, asked.RoundTrip.Variation, asked.Loss.Ratio,
            LinkTraits.Of(Kernel.Kind), _since) { Probes = _probes, Changes = _changes };
    }

    /// <summary>The kernel has it otherwise now.</summary>
    public void KernelIs(KernelLink kernel, Instant now)
    {
        var before = Kernel;
        Kernel = kernel;
        if (!kernel.HasSameWays(before))
            _gatewayConnects = false; // perhaps another gateway at the same address
        Look(now);
        if (!kernel.HasSameWays(before) && IsUsable)
            Doubt(now);
    }

    /// <summary>Something speaks against the link, or for it: whoever is asked is asked at once.</summary>
    public void Doubt(Instant now)
    {
        if (!IsUsable)
            return;
        if (_internet.HasTargets)
            _internet.Hasten(now);
        if (_gateway.HasTargets)
            _gateway.Hasten(now);
    }

    /// <summary>Puts what is due into the outbox.</summary>
    public void Advance(Instant now, Queue<ProbeRequest> outbox, ref int lastId)
    {
        AskIfDue(_internet, isGateway: false, now, outbox, ref lastId);
        AskIfDue(_gateway, isGateway: true, now, outbox, ref lastId);
    }

    /// <returns>Whether it was this link's.</returns>
    public bool Handle(int id, ProbeAnswer answer, Instant now)
    {
        if (_internet.Awaits(id))
            TakeTarget(answer, now);
        else if (_gateway.Awaits(id))
            TakeGateway(answer, now);
        else
            return false;
        Want(now);
        Judge(now);
        return true;
    }

    private void AskIfDue(Question question, bool isGateway, Instant now, Queue<ProbeRequest> outbox, ref int lastId)
    {
        if (question.NextAt > now)
            return;
        var ready = _budget.ReadyAt(now);
        if (ready > now)
        {
            question.Hasten(ready);
            return;
        }
        _budget.Spend(now);
        _probes++;
        outbox.Enqueue(question.Ask(++lastId, Kernel, isGateway, now));
    }

    /// <summary>A refusal proves nothing of the Internet: any firewall on the way can send one.</summary>
    private void TakeTarget(ProbeAnswer answer, Instant now)
    {
        bool? isAnswered = answer.Outcome == ProbeOutcome.NotSent ? null : answer.Outcome == ProbeOutcome.Accepted;
        _internet.Answer(isAnswered, answer.RoundTrip, _internet.Proof.Holds == true);
        Feed(_internet.Proof, isAnswered, _internet.Loss, now);
        if (isAnswered == true)
            _gateway.Proof.Answered(now);
        Next(_internet, isAnswered, now);
    }

    /// <summary>Without targets the Internet is believed as long as the gateway answers as it did: one that took or refused connections and is now seen by
    /// its link-layer address alone forwards nothing.</summary>
    private void TakeGateway(ProbeAnswer answer, Instant now)
    {
        var connects = answer.Outcome is ProbeOutcome.Accepted or ProbeOutcome.Refused;
        var isNeighbour = answer.Outcome == ProbeOutcome.NeighbourOnly;
        bool? isAnswered = answer.Outcome == ProbeOutcome.NotSent ? null : connects || isNeighbour && !_gatewayConnects;
        _othersHeard = answer.OthersHeard;
        _gatewayConnects |= connects;
        _gateway.Answer(isAnswered, answer.RoundTrip, (_internet.HasTargets ? _gateway : _internet).Proof.Holds == true);
        Feed(_gateway.Proof, isAnswered is null ? null : connects || isNeighbour || answer.OthersHeard, _gateway.Loss, now);
        if (!_internet.HasTargets)
            Feed(_internet.Proof, isAnswered, _gateway.Loss, now);
        Next(_gateway, isAnswered, now);
    }

    private static void Feed(Proof proof, bool? isAnswered, LossWindow loss, Instant now)
    {
        if (isAnswered == true)
            proof.Answered(now);
        else if (isAnswered == false)
            proof.Lost(loss.SilenceNeeded);
    }

    private void Next(Question question, bool? isAnswered, Instant now)
    {
        var isSettled = question.Proof.IsSure && (_internet.HasTargets || _internet.Proof.IsSure);
        question.Next(
            isAnswered is null ? _pace.Dead
            : !isSettled ? _pace.Doubt
            : _internet.Proof.Holds == true ? _pace.Sure : _pace.Dead, now);
    }

    /// <summary>Who can be asked over the link as it is now.</summary>
    private void Look(Instant now)
    {
        if (IsUsable)
        {
            _internet.TargetsAre(TargetsLedTo());
            _gateway.TargetsAre(Gateways());
            // What was proven of a way that has gone is no proof of the next one.
            if (!_gateway.HasTargets)
                _gateway.Proof.Forget();
            if (!_gateway.HasTargets && !_internet.HasTargets)
                _internet.Proof.Forget();
        }
        else
        {
            _internet.Forget();
            _gateway.Forget();
            _othersHeard = _gatewayConnects = false;
        }
        Want(now);
        Judge(now);
    }

    /// <summary>The gateway is asked only while the Internet is in doubt, or there is nobody else to ask.</summary>
    private void Want(Instant now)
    {
        var asksTargets = IsUsable && _internet.HasTargets;
        _internet.Want(asksTargets, now);
        _gateway.Want(IsUsable && _gateway.HasTargets && !(asksTargets && _internet.Proof is { Holds: true, IsSure: true }), now);
    }

    private void Judge(Instant now)
    {
        var reach = Verdict.Reach;
        Verdict = !Kernel.IsUp ? Verdict.SwitchedOff
            : !Kernel.HasCarrier ? Verdict.NoCarrier
            : Kernel.Addresses.Count == 0 ? Verdict.NoAddress
            : Verdict.Of(_internet, _gateway, Kernel.Routes.Count > 0, _othersHeard);
        if (Verdict.Reach == reach)
            return;
        _since = now;
        _changes++;
    }

    private List<IPEndPoint> TargetsLedTo()
    {
        var targets = new List<IPEndPoint>();
        foreach (var target in _options.Targets)
            if (LeadsTo(target.Address))
                targets.Add(target);
        return targets;
    }

    /// <summary>By a default route of that family and an address to send from, or directly.</summary>
    private bool LeadsTo(IPAddress target)
    {
        foreach (var own in Kernel.Addresses)
            if (own.Address.AddressFamily == target.AddressFamily)
            {
                if (OnLink.Covers(own, target))
                    return true;
                foreach (var route in Kernel.Routes)
                    if (own.Scope > AddressScope.Link && route.Family == target.AddressFamily)
                        return true;
            }
        return false;
    }

    private List<IPEndPoint> Gateways()
    {
        var gateways = new List<IPEndPoint>();
        foreach (var route in Kernel.Routes)
            if (route.Gateway is { } gateway && Kernel.AddressOf(gateway.AddressFamily) is not null && !Has(gateways, gateway))
                gateways.Add(new IPEndPoint(gateway, GatewayPort));
        return gateways;

        static bool Has(List<IPEndPoint> known, IPAddress gateway)
        {
            foreach (var one in known)
                if (one.Address.Equals(gateway))
                    return true;
            return false;
        }
    }
}
