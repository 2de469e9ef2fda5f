using System.Globalization;
using EdgeFirmware.Contracts;
using EdgeFirmware.Mesh.Negotiation;
using EdgeFirmware.Mesh.Placement;
using EdgeFirmware.Mesh.Shell;

namespace EdgeFirmware.Firmware.Operations;

/// <summary>What a person can ask about where things are: why, and that this node be emptied.</summary>
internal sealed class PlacementDesk(MeshNode mesh, Func<string, WorkloadRecord> find, TimeProvider time)
{
    public async Task<WhyView> WhyAsync(string name)
    {
        var record = find(name);
        var answer = await mesh.ExplainAsync(record.Id);
        if (answer.Explanation is not { } explanation)
            throw new OperationRefusedException(409, answer.Fault);
        var owner = answer.Record?.Owner ?? record.Owner;
        return new WhyView(record.Id.Value, owner.Name, ViewOf(explanation.Last), ViewOf(explanation.Now));
    }

    /// <summary>Answers once it is on disk that the node is to be empty, or not any more.</summary>
    public async Task<DrainView> DrainAsync(bool draining)
    {
        var answer = await mesh.DrainAsync(draining);
        if (answer.Fault.Length > 0)
            throw new OperationRefusedException(503, answer.Fault);
        await mesh.TurnAsync(); // the loop publishes what it has done when it has turned
        return Drain();
    }

    public DrainView Drain() => mesh.Snapshot.Evacuation is { } evacuation
        ? new DrainView(evacuation.Draining, evacuation.Failing, evacuation.Moved, [.. evacuation.Left.Select(ViewOf)])
        : new DrainView(false, false, 0, []);

    private static RemainingView ViewOf(Remaining remaining) => new(
        remaining.Workload.Value, remaining.Moving ? "moving" : remaining.Why.Length > 0 ? "stays" : "waiting", remaining.Why.Length > 0 ? remaining.Why : null);

    private DecisionView? ViewOf(Decision? decision) => decision is null ? null : new DecisionView(
        Word(decision.Trigger.ToString()), decision.By.Name, decision.To?.Name, decision.Why,
        (time.GetUtcNow() - TimeSpan.FromSeconds(decision.SecondsAgo)).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
        Math.Round(decision.SecondsAgo, 1), decision.Moves, [.. decision.Candidates.Select(ViewOf)], decision.LeftOut);

    private static CandidateView ViewOf(Verdict verdict)
    {
        var terms = verdict.Terms;
        return new CandidateView(
            verdict.Node.Name, Word(verdict.Outcome.ToString()), verdict.Why, Rounded(verdict.Cost), Rounded(terms?.LatencyMilliseconds),
            Rounded(terms?.MoveMilliseconds), terms?.Scarce, Rounded(terms?.Capability), Rounded(terms?.Need), Rounded(terms?.Left), Rounded(terms?.Foreseen),
            Rounded(terms?.Affinity), Rounded(terms?.Risk));
    }

    private static double? Rounded(double? value) => value is { } number && double.IsFinite(number) ? Math.Round(number, 4) : null;

    private static string Word(string name) => name.ToLowerInvariant();
}
