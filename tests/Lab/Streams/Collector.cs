using System.Globalization;
using EdgeFirmware.Lab.Os;

namespace EdgeFirmware.Lab.Streams;

/// <summary>Whoever wants the results: Debian's <c>mosquitto_sub</c> with a persistent session on the sensor's node.</summary>
public sealed class Collector : IDisposable
{
    private readonly StreamLedger _ledger;
    private readonly Child _process;
    private readonly TaskCompletionSource _subscribed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Collector(Cgroup cgroup, NetworkNamespace network, string host, string topic, string clientId, StreamLedger ledger)
    {
        _ledger = ledger;
        // -d: its line "Subscribed" says that the broker knows the subscription.
        _process = Child.Start(
            cgroup,
            network,
            ["stdbuf", "-oL", "mosquitto_sub", "-h", host, "-V", "mqttv5", "-i", clientId, "-c", "-q", "1", "-k", "5", "-t", topic, "-d", "-F", "= %U %p"],
            Read);
    }

    public static async Task<Collector> StartAsync(
        Cgroup cgroup, NetworkNamespace network, string host, string topic, string clientId, StreamLedger ledger)
    {
        var collector = new Collector(cgroup, network, host, topic, clientId, ledger);
        await collector._subscribed.Task.WaitAsync(TimeSpan.FromSeconds(10));
        return collector;
    }

    public void Dispose()
    {
        _process.Signal(Signals.Kill);
        _process.Dispose();
    }

    /// <summary><c>= seconds.nanoseconds number checksum host pid processed</c></summary>
    private void Read(string line)
    {
        if (line.StartsWith("Subscribed", StringComparison.Ordinal))
            _subscribed.TrySetResult();
        if (!line.StartsWith("= ", StringComparison.Ordinal))
            return;
        var fields = line.Split(' ');
        if (fields.Length == 7
            && decimal.TryParse(fields[1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds)
            && long.TryParse(fields[2], CultureInfo.InvariantCulture, out var number)
            && uint.TryParse(fields[3], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var checksum)
            && long.TryParse(fields[6], CultureInfo.InvariantCulture, out var processed))
            _ledger.Result(new Result(number, checksum, fields[4], processed, TimeSpan.FromSeconds((double)seconds)));
        else
            _ledger.Fault($"not a result: {line}");
    }
}
