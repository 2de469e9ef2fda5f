using System.Globalization;
using System.Text;
using EdgeFirmware.Lab.Images;
using EdgeFirmware.Lab.Os;
using EdgeFirmware.Lab.Sites;
using EdgeFirmware.Lab.Streams;

namespace EdgeFirmware.Lab.Bench;

/// <summary>Many moves of the convolution workload under 20 messages a second, planned and by overload, and what they cost.</summary>
public sealed class MigrationBench
{
    private readonly Site _site;
    private readonly SensorStream _stream;
    private readonly WorkloadPlan _plan;
    private readonly List<Sample> _samples = [];
    private Node? _overloaded;

    private MigrationBench(Site site, SensorStream stream, WorkloadPlan plan)
    {
        _site = site;
        _stream = stream;
        _plan = plan;
    }

    private sealed record Sample(string Kind, MoveView Move, double GapMilliseconds);

    public static async Task<int> RunAsync(int moves, string file, CancellationToken cancel)
    {
        await SampleImages.BuildSampleAsync();
        await using var site = await Site.BuildAsync(new SiteOptions());
        await site.StartFirmwareAsync(cancel);
        var plan = WorkloadPlan.Convolution();
        var gate1 = site["gate-1"];
        await gate1.Engine.LoadAsync(await SampleImages.ConvolutionAsync(site.Directory));
        await gate1.UntilReadyAsync(TimeSpan.FromSeconds(30), cancel);
        await gate1.DeployAsync(plan.Spec(), cancel);
        await using var stream = await SensorStream.StartAsync(site, gate1, plan);
        await stream.FlowsAsync(40, TimeSpan.FromSeconds(60), "results flow", cancel);
        var bench = new MigrationBench(site, stream, plan);
        // The first move to each node carries the image: a figure of its own.
        await bench.PlannedAsync("first to a node (with the image)", "gate-2", cancel);
        await bench.PlannedAsync("first to a node (with the image)", "gate-3", cancel);
        for (var i = 0; i < moves; i++)
        {
            // A workload that nodes have moved about stays ever longer where it is; where an operator puts it, that is forgotten.
            await bench.PlannedAsync("planned", await bench.CalmAsync(cancel), cancel);
            await bench.OverloadAsync(cancel);
        }
        var account = await stream.FinishAsync(TimeSpan.FromSeconds(30), cancel);
        var text = bench.Render(account);
        await File.WriteAllTextAsync(file, text, cancel);
        Console.WriteLine(text);
        return account.IsClean ? 0 : 1;
    }

    private async Task PlannedAsync(string kind, string to, CancellationToken cancel)
    {
        var mark = _stream.Ledger.ResultCount;
        var host = await HostAsync(cancel);
        await AddAsync(kind, await host.MigrateAsync(_plan.Id, to, cancel), mark, cancel);
    }

    /// <returns>A node where the workload is not, and that was not just overloaded.</returns>
    private async Task<string> CalmAsync(CancellationToken cancel)
    {
        var host = await HostAsync(cancel);
        return _site.Nodes.First(node => node != host && node != _overloaded).Name;
    }

    private async Task OverloadAsync(CancellationToken cancel)
    {
        var host = _overloaded = await HostAsync(cancel);
        var (mark, events) = (_stream.Ledger.ResultCount, _site.Events.Count);
        host.Overload();
        var moved = await _site.Events.UntilAsync(
            events, happened => happened.Kind == "moved" && happened.Subject == _plan.Id, TimeSpan.FromSeconds(90), $"{host.Name} gets rid of it", cancel);
        await host.RelieveAsync();
        await AddAsync("overload", FirmwareJson.Move(moved.Json), mark, cancel);
        await Site.UntilMeshedAsync(_site.Nodes, TimeSpan.FromSeconds(60), cancel);
    }

    private async Task AddAsync(string kind, MoveView move, int mark, CancellationToken cancel)
    {
        var sent = _stream.Ledger.NextNumber;
        await Until.TrueAsync(() => _stream.Ledger.LastResult?.Number > sent + 10, TimeSpan.FromSeconds(30), "the workload has caught up", cancel);
        var results = _stream.Ledger.ResultsSince(Math.Max(0, mark - 1));
        var gap = results.Zip(results.Skip(1), (a, b) => (b.At - a.At).TotalMilliseconds).Max();
        _samples.Add(new Sample(kind, move, gap));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{kind}: {move.From} → {move.To}, selection {move.SelectionMilliseconds:0.0} ms, {move.BytesSent} bytes, freeze {move.FreezeMilliseconds:0} ms, gap {gap:0} ms"));
    }

    private async Task<Node> HostAsync(CancellationToken cancel) =>
        _site[(await _site["gate-1"].WorkloadAsync(_plan.Id, cancel))?.Node ?? throw new InvalidOperationException($"{_plan.Id} is nowhere")];

    private string Render(Account account)
    {
        var text = new StringBuilder();
        text.AppendLine("# Moves of a workload between nodes").AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"Three nodes on one machine ({Environment.ProcessorCount} processors), each with {_site.Options.NodeCores} of a core and a real Docker Engine;");
        text.AppendLine("the papers' convolution of 50×50 matrices at 20 messages a second, QoS 1. Overload: a busy loop that takes 95 % of the node's quota,");
        text.AppendLine("evenly, beside a firmware with the CPUWeight of its unit. Median [lowest–highest]. `bench/migration.sh` repeats it.").AppendLine();
        text.AppendLine("| move | n | selection ms | bytes sent | freeze ms (node) | gap ms (collector) | total ms |");
        text.AppendLine("|---|---|---|---|---|---|---|");
        foreach (var group in _samples.GroupBy(sample => sample.Kind))
        {
            var moves = group.Select(sample => sample.Move).ToList();
            text.AppendLine(
                $"| {group.Key} | {moves.Count} | {Spread(moves.Select(move => move.SelectionMilliseconds))} | {Spread(moves.Select(move => (double)move.BytesSent))} | "
                + $"{Spread(moves.Select(move => move.FreezeMilliseconds))} | {Spread(group.Select(sample => sample.GapMilliseconds))} | "
                + $"{Spread(moves.Select(move => move.TotalMilliseconds))} |");
        }
        text.AppendLine("| papers | | 586 | 60 000 in 36 ms | 1000–9000 (CRIU scale) | | |").AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"Messages in {account.In}, out {account.Out}, lost {account.Lost}, twice {account.Duplicated}, out of order {account.OutOfOrder}, wrong {account.Wrong};");
        text.AppendLine(CultureInfo.InvariantCulture, $"at most {_stream.Copies.MostAlive()} live copy at any of {_stream.Copies.Count} sampled instants.");
        return text.ToString();
    }

    private static string Spread(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        if (sorted.Count == 0)
            return "–";
        var median = (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
        return $"{Text(median)} [{Text(sorted[0])}–{Text(sorted[^1])}]";
    }

    private static string Text(double value) => value.ToString(value < 100 ? "0.0" : "0", CultureInfo.InvariantCulture);
}
