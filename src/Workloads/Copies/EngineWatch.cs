using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Engine;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Workloads.Copies;

/// <summary>Watches the engine: tells the mesh when it comes, goes or hangs, and when a copy ends by itself. Events tell at once; a look every few
/// seconds finds what they missed, and an engine that keeps its connection open but answers no more.</summary>
/// <param name="find">The site's record of a workload.</param>
/// <param name="engineIs">Told at every change.</param>
/// <param name="copyEnded">Told once for each copy; <c>true</c> = its application ended well.</param>
public sealed class EngineWatch(
    IContainerEngine engine, WorkloadHost host, Func<WorkloadId, WorkloadRecord?> find, Func<EngineDescription?, ValueTask> engineIs,
    Func<WorkloadId, bool, string, ValueTask> copyEnded, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);

    /// <summary>One listing of a few containers: about a millisecond of the engine's time.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(5);

    /// <summary>An engine that restarts is back within this time; longer, and its copies count as lost.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <exception cref="OperationCanceledException">The only way it ends.</exception>
    public async Task RunAsync(CancellationToken cancel)
    {
        var lostSince = (long?)null;
        var isThere = false;
        var first = true;
        while (true)
        {
            try
            {
                var description = await engine.DescribeAsync(cancel);
                await host.SortLeftoversAsync(find, cancel);
                isThere = true;
                lostSince = null;
                await engineIs(description);
                await WatchUntilLostAsync(cancel);
            }
            catch (EngineException error)
            {
                if (isThere || first)
                {
                    WorkloadLog.EngineFault(log, error.Message);
                    await engineIs(null);
                }
                isThere = false;
                lostSince ??= time.GetTimestamp();
                if (time.GetElapsedTime(lostSince.Value) >= Patience)
                    foreach (var workload in host.FenceAll("the container engine is gone"))
                        await copyEnded(workload, false, "the container engine is gone");
            }
            first = false;
            await Task.Delay(Poll, time, cancel);
        }
    }

    private async Task WatchUntilLostAsync(CancellationToken cancel)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var hearing = HearAsync(ending.Token);
        var looking = LookAsync(ending.Token);
        var reason = await Task.WhenAny(hearing, looking);
        await ending.CancelAsync();
        await Task.WhenAll(hearing, looking).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // the first to end knows why
        await reason;
    }

    private async Task LookAsync(CancellationToken cancel)
    {
        while (true)
        {
            foreach (var (workload, code) in await host.FindEndedAsync(cancel))
                await copyEnded(workload, code == 0, $"its container ended with exit code {code?.ToString() ?? "unknown"} while nobody watched");
            if (host.HasLeftovers)
                await host.SortLeftoversAsync(find, cancel);
            await Task.Delay(Look, time, cancel);
        }
    }

    private async Task HearAsync(CancellationToken cancel)
    {
        await foreach (var happened in engine.WatchAsync(cancel))
            if (happened.Action == "die" && host.Ended(happened.ContainerId) is { } workload)
            {
                var code = happened.Attributes.GetValueOrDefault("exitCode", "unknown");
                await copyEnded(workload, code == "0", $"its container ended with exit code {code}");
            }
    }
}
