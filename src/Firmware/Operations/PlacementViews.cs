namespace EdgeFirmware.Firmware.Operations;

/// <param name="Last">How it came where it is; absent when the node that knows it has restarted since.</param>
/// <param name="Now">What its node would find now; absent when that node is gone.</param>
internal sealed record WhyView(string Workload, string Node, DecisionView? Last, DecisionView? Now);

/// <param name="Trigger">In lower case: <c>deployed</c>, <c>asked</c>, <c>overload</c>, <c>balance</c>, <c>drain</c>, <c>failure</c>, <c>rescue</c>, <c>stranded</c>.</param>
/// <param name="Time">Wall clock of the node that answers, RFC 3339.</param>
/// <param name="Moves">Recent moves that no user asked for.</param>
internal sealed record DecisionView(
    string Trigger, string By, string? To, string Why, string Time, double SecondsAgo, int Moves, CandidateView[] Candidates, int LeftOut);

/// <param name="Verdict"><c>chosen</c>, <c>here</c>, <c>fit</c>, <c>refused</c> or <c>unfit</c>.</param>
/// <param name="Cost"><c>(latencyMs + moveMs) · affinity · risk / left</c>; absent when unfit.</param>
/// <param name="Scarce"><c>cpu</c> or <c>memory</c>; the four after it are shares of what the node has of it: M, U, M - U, and what is foreseen.</param>
internal sealed record CandidateView(
    string Node, string Verdict, string Why, double? Cost, double? LatencyMs, double? MoveMs, string? Scarce, double? Capability, double? Need,
    double? Left, double? Foreseen, double? Affinity, double? Risk);

/// <param name="Draining">The operator wants the node empty.</param>
/// <param name="Failing">It foresees its own failure.</param>
/// <param name="Moved">Workloads that have left since it began.</param>
internal sealed record DrainView(bool Draining, bool Failing, int Moved, RemainingView[] Left);

/// <param name="State"><c>waiting</c> for its turn, <c>moving</c>, or <c>stays</c>, and then why; it is offered again.</param>
internal sealed record RemainingView(string Workload, string State, string? Why);
