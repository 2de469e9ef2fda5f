using System.Text.Json.Nodes;
using EdgeFirmware.Lab.Images;
using EdgeFirmware.Lab.Os;
using EdgeFirmware.Lab.Sites;
using EdgeFirmware.Lab.Streams;

namespace EdgeFirmware.Lab.Demo;

/// <summary>The product's main job on real parts: a workload leaves an overloaded node, avoids a node without engine, survives the
/// death of its host; and the books of the sensor's messages stay even. Needs a site of three nodes whose firmware runs.</summary>
public sealed class Scenario
{
    public const double SelectionMillisecondsMax = 100;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Site _site;
    private readonly IStage _stage;
    private readonly WorkloadPlan _plan = WorkloadPlan.Convolution();
    private readonly List<StepReport> _steps = [];
    private readonly List<string> _failures = [];

    public Scenario(Site site, IStage stage)
    {
        _site = site;
        _stage = stage;
    }

    private Node Gate1 => _site["gate-1"];

    /// <param name="onStream">Told once, when the sensor begins.</param>
    public async Task<DemoReport> RunAsync(Action<SensorStream>? onStream = null, CancellationToken cancel = default)
    {
        _stage.Step("A workload on gate-1, a sensor that sends it 20 matrices a second");
        await Gate1.Engine.LoadAsync(await SampleImages.ConvolutionAsync(_site.Directory));
        await Gate1.UntilReadyAsync(Patience, cancel);
        await Gate1.DeployAsync(_plan.Spec(), cancel);
        await using var stream = await SensorStream.StartAsync(_site, Gate1, _plan);
        onStream?.Invoke(stream);
        await stream.FlowsAsync(60, Patience, "results flow from gate-1", cancel);

        var host = await OverloadAsync(stream, cancel);
        var other = _site.Nodes.First(node => node != Gate1 && node != host);
        await _site["gate-2"].UnburdenAsync();
        await StopEngineAsync(stream, host, other, cancel);
        await KillHostAsync(stream, host, cancel);

        _stage.Step("The books are closed");
        var total = await stream.FinishAsync(TimeSpan.FromSeconds(30), cancel);
        var steps = _steps.Select(step => step with { Account = stream.Ledger.Close(step.First, step.Next) }).ToList();
        Judge(steps, total, stream);
        return new DemoReport(steps, total, _failures);
    }

    /// <returns>The node it moved to.</returns>
    private async Task<Node> OverloadAsync(SensorStream stream, CancellationToken cancel)
    {
        var step = Begin("1  gate-1 is overloaded: the workload moves to the best peer", stream);
        // gate-2 has other work to do, so gate-3 is the better one of two that could.
        _site["gate-2"].Burden(_site.Options.NodeCores / 2);
        await UntilGate3IsBetterAsync(cancel);
        Gate1.Overload();
        var moved = await MovedAsync(step.Events, "gate-1 gets rid of the workload", cancel);
        await Gate1.RelieveAsync();
        Expect(moved.From == "gate-1", $"step 1: it moved from {moved.From}, not from gate-1");
        await ExpectTheBestAsync(_site[moved.To], cancel);
        await End(step, stream, [moved], cancel);
        return _site[moved.To];
    }

    /// <summary>That is gate-3 while the other processors of the machine are at rest. What else runs there is in the figures by which the node chose, and a node
    /// may refuse for it: of those that would have taken the workload none was cheaper.</summary>
    private async Task ExpectTheBestAsync(Node host, CancellationToken cancel)
    {
        var decision = (await host.Firmware.JsonAsync(cancel, "why", _plan.Id))["last"];
        var candidates = FirmwareJson.Candidates(decision);
        foreach (var candidate in candidates)
            _stage.Say($"{candidate.Node} {candidate.Verdict}: {candidate.Why}{(candidate.Cost is { } cost ? $", cost {cost:0.0}" : "")}");
        var chosen = candidates.FirstOrDefault(candidate => candidate.Verdict == "chosen");
        Expect(chosen?.Node == host.Name, $"step 1: {host.Name} has it, and {chosen?.Node ?? "none"} was chosen");
        var better = candidates.FirstOrDefault(candidate => candidate.Verdict == "fit" && candidate.Cost < chosen?.Cost);
        Expect(better is null, $"step 1: {better?.Node} would have been better than {host.Name}: {decision?.ToJsonString()}");
    }

    /// <summary>The step's premise: as gate-1 was told, gate-2 is busy, gate-3 is not, and they are equally near.</summary>
    private async Task UntilGate3IsBetterAsync(CancellationToken cancel)
    {
        var seen = "nothing yet";
        await Until.TrueAsync(
            async () =>
            {
                var peers = await Gate1.PeersAsync(cancel);
                var (gate2, gate3) = (peers.First(peer => peer.Name == "gate-2"), peers.First(peer => peer.Name == "gate-3"));
                seen = $"gate-2 {gate2.CpuFreeCores:0.00} cores at {gate2.RoundTripMs} ms, gate-3 {gate3.CpuFreeCores:0.00} at {gate3.RoundTripMs} ms";
                return gate3.CpuFreeCores > gate2.CpuFreeCores + (_site.Options.NodeCores / 4) && gate3.RoundTripMs < gate2.RoundTripMs + 0.3;
            },
            Patience, "gate-1 knows that gate-2 is busy with other work", cancel, () => seen);
    }

    private async Task StopEngineAsync(SensorStream stream, Node host, Node other, CancellationToken cancel)
    {
        var step = Begin($"2  the engine of {other.Name} stops: it advertises level 0 and is not chosen", stream);
        await other.Engine.StopAsync();
        await Until.TrueAsync(
            async () => (await host.PeersAsync(cancel)).Any(peer => peer.Name == other.Name && peer.Level == 0),
            TimeSpan.FromSeconds(20), $"{host.Name} sees {other.Name} at level 0", cancel);
        _stage.Say($"{host.Name} sees {other.Name} at level 0");
        var refused = await host.Firmware.CommandAsync(cancel, "migrate", _plan.Id, "--to", other.Name);
        Expect(refused.ExitCode != 0, $"step 2: a move to {other.Name} was not refused");
        _stage.Say($"migrate --to {other.Name}: {FirstLine(refused.Error.Length > 0 ? refused.Error : refused.Output)}");

        // Away and back: twice the only other choice is the node without an engine.
        var away = await AwayAsync(host, cancel);
        Expect(away.To == "gate-1", $"step 2: it moved to {away.To}, not to gate-1");
        await stream.FlowsAsync(20, Patience, "results flow from gate-1", cancel);
        var back = await _site[away.To].MigrateAsync(_plan.Id, cancel: cancel);
        Expect(back.To == host.Name, $"step 2: it moved to {back.To}, not back to {host.Name}");
        await End(step, stream, [away, back], cancel);
    }

    /// <summary>Moves it off without naming a node, once gate-1 takes work again: for a while after an overload it expects the next one.</summary>
    private async Task<MoveView> AwayAsync(Node host, CancellationToken cancel)
    {
        CommandOutcome? answer = null;
        await Until.TrueAsync(
            async () => (answer = await host.Firmware.CommandAsync(cancel, "migrate", _plan.Id, "--json")).ExitCode == 0,
            Patience, "gate-1 has recovered from its overload", cancel, () => answer!.Error);
        return FirmwareJson.Move(JsonNode.Parse(answer!.Output)!);
    }

    private async Task KillHostAsync(SensorStream stream, Node host, CancellationToken cancel)
    {
        var step = Begin($"3  {host.Name} loses power: the workload is restored on a remaining node", stream);
        var killed = TimeProvider.System.GetTimestamp();
        await host.CutPowerAsync();
        _stage.Say($"{host.Name}: firmware, engine and container killed");
        var dead = await _site.Events.UntilAsync(
            step.Events, happened => IsDeath(happened, host.Name), Patience, $"{host.Name} is found dead", cancel);
        var results = stream.Ledger.ResultCount;
        await stream.FlowsAsync(1, Patience, "results flow again", cancel);
        var resumed = TimeProvider.System.GetElapsedTime(dead.Heard).TotalSeconds;
        Expect(resumed <= 5, $"step 3: results resumed {resumed:0.0} s after the detection, not within 5 s");
        var at = await Gate1.WorkloadAsync(_plan.Id, cancel);
        Expect(at is { Node: not null } && at.Node != host.Name, $"step 3: gate-1 says the workload is on {at?.Node}");
        _stage.Say($"restored on {at?.Node}, epoch {at?.Epoch}; {stream.Ledger.ResultCount - results} results already");
        await End(step, stream, [], cancel, TimeProvider.System.GetElapsedTime(killed, dead.Heard).TotalSeconds, resumed);
    }

    /// <summary>The event by which a node says that it believes another to be dead.</summary>
    public static bool IsDeath(NodeEvent happened, string node) =>
        happened.Subject.Split('/')[0] == node && happened.Node != node
        && (happened.Kind + " " + happened.Why + " " + happened.Json["status"] + " " + happened.Json["state"]).Contains("dead", StringComparison.OrdinalIgnoreCase);

    private async Task<MoveView> MovedAsync(int mark, string what, CancellationToken cancel) => FirmwareJson.Move(
        (await _site.Events.UntilAsync(mark, happened => happened.Kind == "moved" && happened.Subject == _plan.Id, Patience, what, cancel)).Json);

    private (string Title, int Events, int Samples, long First) Begin(string title, SensorStream stream)
    {
        _stage.Step(title);
        return (title, _site.Events.Count, stream.Copies.Count, stream.Ledger.NextNumber);
    }

    /// <summary>A step lasts until results have come for messages that were sent after its last move.</summary>
    private async Task End(
        (string Title, int Events, int Samples, long First) step, SensorStream stream, IReadOnlyList<MoveView> moves, CancellationToken cancel,
        double detected = 0, double resumed = 0)
    {
        var sent = stream.Ledger.NextNumber;
        await Until.TrueAsync(
            () => stream.Ledger.LastResult?.Number > sent + 20, Patience, "the workload has caught up", cancel,
            () => $"last result {stream.Ledger.LastResult?.Number}, wanted {sent + 20}");
        var most = stream.Copies.MostAlive(step.Samples);
        foreach (var move in moves)
            _stage.Say($"{move.From} → {move.To}, epoch {move.Epoch}: selection {move.SelectionMilliseconds:0.0} ms, {move.BytesSent} bytes, freeze {move.FreezeMilliseconds:0} ms ({move.Why})");
        _steps.Add(new StepReport(step.Title, step.First, stream.Ledger.NextNumber, moves, most, detected, resumed));
    }

    private void Judge(List<StepReport> steps, Account total, SensorStream stream)
    {
        foreach (var step in steps)
        {
            var name = $"step {step.Title[0]}";
            Expect(step.Account!.Lost == 0, $"{name}: {step.Account.Lost} messages lost");
            Expect(step.MostAlive <= 1, $"{name}: {step.MostAlive} copies lived at the same time");
            Expect(step.Account.Wrong == 0, $"{name}: {step.Account.Wrong} wrong results");
            // The node that is killed cannot say what it had done already: a result may come twice then, never in a planned move.
            if (step.DetectedSeconds == 0)
            {
                Expect(step.Account.Duplicated == 0, $"{name}: {step.Account.Duplicated} results twice");
                Expect(step.Account.OutOfOrder == 0, $"{name}: {step.Account.OutOfOrder} results out of order");
            }
            foreach (var move in step.Moves)
                Expect(move.SelectionMilliseconds < SelectionMillisecondsMax, $"{name}: selection took {move.SelectionMilliseconds:0} ms");
        }
        Expect(total.Sent == total.In, $"the sensor sent {total.Sent} messages, {total.In} were acknowledged");
        _failures.AddRange(stream.Ledger.Faults);
    }

    private void Expect(bool holds, string otherwise)
    {
        if (holds)
            return;
        _failures.Add(otherwise);
        _stage.Say("NOT AS EXPECTED: " + otherwise);
    }

    private static string FirstLine(string text) => text.Split('\n')[0];
}
