using EdgeFirmware.Lab.Os;
using EdgeFirmware.Lab.Sites;

namespace EdgeFirmware.Lab.Streams;

/// <summary>A sensor on a node, a workload somewhere, a collector on the sensor's node, and the books of it all.</summary>
public sealed class SensorStream : IAsyncDisposable
{
    private readonly Sensor _sensor;
    private readonly Collector _collector;

    private SensorStream(Sensor sensor, Collector collector, StreamLedger ledger, CopySampler copies)
    {
        _sensor = sensor;
        _collector = collector;
        Ledger = ledger;
        Copies = copies;
    }

    public StreamLedger Ledger { get; }

    public CopySampler Copies { get; }

    public static async Task<SensorStream> StartAsync(Site site, Node at, WorkloadPlan plan, double perSecond = 20)
    {
        var ledger = new StreamLedger();
        var host = at.Address.ToString();
        var collector = await Collector.StartAsync(site.FieldCgroup, site.Field, host, plan.Output, $"collector-{plan.Name}", ledger);
        var sensor = await Sensor.StartAsync(site.FieldCgroup, site.Field, host, plan.Input, $"sensor-{plan.Name}", perSecond, ledger);
        return new SensorStream(sensor, collector, ledger, new CopySampler(site, plan.Id));
    }

    /// <summary>Waits until results flow: as many as asked for beyond those there are.</summary>
    public Task FlowsAsync(int results, TimeSpan within, string what, CancellationToken cancel = default)
    {
        var start = Ledger.ResultCount;
        return Until.TrueAsync(
            () => Ledger.ResultCount >= start + results, within, what, cancel,
            () => $"{Ledger.ResultCount - start} results, {Ledger.AcknowledgedCount} acknowledged, missing from {string.Join(',', Ledger.MissingNumbers().Take(3))}");
    }

    /// <summary>Stops the sensor, waits for the result of everything that was acknowledged, and closes the books.</summary>
    public async Task<Account> FinishAsync(TimeSpan within, CancellationToken cancel = default)
    {
        await _sensor.FinishAsync(within);
        try
        {
            await Until.TrueAsync(Ledger.IsEven, within, "every acknowledged message has its result", cancel);
            await QuietAsync(cancel);
        }
        catch (TimeoutException)
        {
            // The books say what is missing.
        }
        return Ledger.Close();
    }

    /// <summary>A result that comes twice comes late: the books stay open until there has been none for a while.</summary>
    private async Task QuietAsync(CancellationToken cancel)
    {
        var (count, since) = (Ledger.ResultCount, TimeProvider.System.GetTimestamp());
        await Until.TrueAsync(
            () =>
            {
                if (Ledger.ResultCount != count)
                    (count, since) = (Ledger.ResultCount, TimeProvider.System.GetTimestamp());
                return TimeProvider.System.GetElapsedTime(since) > TimeSpan.FromMilliseconds(500);
            },
            TimeSpan.FromSeconds(10),
            "no more results come",
            cancel);
    }

    public async ValueTask DisposeAsync()
    {
        await _sensor.DisposeAsync();
        _collector.Dispose();
        await Copies.DisposeAsync();
    }
}
