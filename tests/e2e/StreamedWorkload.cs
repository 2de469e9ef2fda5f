using EdgeFirmware.Lab.Os;
using EdgeFirmware.Lab.Sites;
using EdgeFirmware.Lab.Streams;

namespace EdgeFirmware.EndToEnd;

/// <summary>A workload deployed on gate-1 that gets 20 messages a second; removed at the end of the test.</summary>
public sealed class StreamedWorkload : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly Site _site;

    private StreamedWorkload(Site site, WorkloadPlan plan, SensorStream stream)
    {
        _site = site;
        Plan = plan;
        Stream = stream;
    }

    public WorkloadPlan Plan { get; }

    public string Id => Plan.Id;

    public SensorStream Stream { get; }

    private Node Gate1 => _site["gate-1"];

    public static async Task<StreamedWorkload> DeployAsync(Site site, string name, string image = "convolution:1")
    {
        var plan = WorkloadPlan.Convolution(name, image);
        await site["gate-1"].UntilReadyAsync(Patience);
        await site["gate-1"].DeployAsync(plan.Spec());
        var workload = new StreamedWorkload(site, plan, await SensorStream.StartAsync(site, site["gate-1"], plan));
        await workload.Stream.FlowsAsync(20, Patience, $"results of {plan.Id} flow");
        return workload;
    }

    /// <summary>The node that runs it, as gate-1 knows it.</summary>
    public async Task<Node> HostAsync() =>
        _site[(await Gate1.WorkloadAsync(Id))?.Node ?? throw new InvalidOperationException($"gate-1 does not know where {Id} is")];

    /// <summary>By command, on whatever node it is; results flow again when this returns.</summary>
    public async Task<MoveView> MoveAsync(string to = "")
    {
        var move = await (await HostAsync()).MigrateAsync(Id, to);
        await CaughtUpAsync();
        return move;
    }

    /// <summary>By overload of the nodes they are on, until each has moved once; the overload is over and results flow again when this returns.</summary>
    public static async Task<IReadOnlyList<MoveView>> MoveByOverloadAsync(Site site, IReadOnlyList<StreamedWorkload> workloads)
    {
        var hosts = new HashSet<Node>();
        foreach (var workload in workloads)
            hosts.Add(await workload.HostAsync());
        var mark = site.Events.Count;
        foreach (var host in hosts)
            host.Overload();
        try
        {
            var moves = new List<MoveView>();
            foreach (var workload in workloads)
            {
                var moved = await site.Events.UntilAsync(
                    mark, happened => happened.Kind == "moved" && happened.Subject == workload.Id, Patience, $"overload gets {workload.Id} moved");
                moves.Add(FirmwareJson.Move(moved.Json));
            }
            return moves;
        }
        finally
        {
            foreach (var host in hosts)
                await host.RelieveAsync();
            foreach (var workload in workloads)
                await workload.CaughtUpAsync();
        }
    }

    /// <summary>There are results for messages that were sent from now on.</summary>
    public Task CaughtUpAsync()
    {
        var sent = Stream.Ledger.NextNumber;
        return Until.TrueAsync(
            () => Stream.Ledger.LastResult?.Number > sent + 5, Patience, $"{Id} has caught up",
            found: () => $"last result {Stream.Ledger.LastResult?.Number} of {Stream.Ledger.NextNumber - 1} sent, {Stream.Ledger.AcknowledgedCount} acknowledged");
    }

    /// <summary>Removes it where it is and waits until no node has a trace of it. Says nothing when it cannot: the test has spoken.</summary>
    public async ValueTask DisposeAsync()
    {
        await Stream.DisposeAsync();
        try
        {
            await Until.TrueAsync(RemoveAsync, TimeSpan.FromSeconds(20), $"{Id} is removed");
            // A lease of an attempt that failed may last 30 s.
            await Until.TrueAsync(IsGoneAsync, TimeSpan.FromSeconds(40), $"{Id} is gone everywhere");
        }
        catch (Exception exception) when (exception is TimeoutException or InvalidOperationException)
        {
            Console.Error.WriteLine($"{Id} is not removed: {exception.Message}");
        }
    }

    /// <summary>Only its owner may, and not while it moves.</summary>
    private async ValueTask<bool> RemoveAsync()
    {
        foreach (var node in _site.Nodes.Where(node => node.Firmware.IsRunning))
            if (await node.Firmware.CommandAsync(CancellationToken.None, "remove", Id) is var outcome
                && (outcome.ExitCode == 0 || outcome.Error.Contains("no workload", StringComparison.Ordinal)))
                return true;
        return false;
    }

    /// <summary>Containers and volumes, on every node whose engine answers.</summary>
    public async ValueTask<bool> IsGoneAsync()
    {
        foreach (var node in _site.Nodes)
            if (await node.Engine.AnswersAsync()
                && ((await node.Engine.WorkloadContainersAsync()).Any(container => (string?)container["Labels"]?["edge.workload"] == Id)
                    || (await node.Engine.VolumesAsync()).Any(volume => volume.Contains(Id, StringComparison.Ordinal))))
                return false;
        return true;
    }
}
