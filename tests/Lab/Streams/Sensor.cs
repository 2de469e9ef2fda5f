using System.Globalization;
using System.Text.RegularExpressions;
using EdgeFirmware.Lab.Os;
using EdgeFirmware.Samples.Convolution;

namespace EdgeFirmware.Lab.Streams;

/// <summary>A sensor: Debian's <c>mosquitto_pub</c> with a persistent client ID, fed with one numbered matrix per line at a steady rate.
/// It reconnects by itself and repeats what was not acknowledged. Which numbers the broker has acknowledged is read from its debug
/// output: the library numbers packets in the order of the lines, so that line k has packet ID k.</summary>
public sealed partial class Sensor : IAsyncDisposable
{
    private const int PacketIdMax = 65535;

    private readonly StreamLedger _ledger;
    private readonly Child _process;
    private readonly long _first;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _acknowledged;
    private Task _feeding = Task.CompletedTask;

    private Sensor(Cgroup cgroup, NetworkNamespace network, string host, string topic, string clientId, StreamLedger ledger)
    {
        _ledger = ledger;
        _first = ledger.NextNumber;
        _process = Child.Start(
            cgroup,
            network,
            ["stdbuf", "-oL", "mosquitto_pub", "-h", host, "-V", "mqttv5", "-i", clientId, "-c", "-q", "1", "-k", "5", "-t", topic, "-l", "-d"],
            Read);
        _process.Input.AutoFlush = true;
    }

    /// <summary>Begins to send once the broker has accepted the connection.</summary>
    public static async Task<Sensor> StartAsync(
        Cgroup cgroup, NetworkNamespace network, string host, string topic, string clientId, double perSecond, StreamLedger ledger)
    {
        var sensor = new Sensor(cgroup, network, host, topic, clientId, ledger);
        await sensor._connected.Task.WaitAsync(TimeSpan.FromSeconds(10));
        sensor._feeding = sensor.FeedAsync(TimeSpan.FromSeconds(1 / perSecond));
        return sensor;
    }

    /// <summary>No more messages; waits until the broker has acknowledged all there were, which is when the program ends with 0.</summary>
    /// <exception cref="InvalidOperationException">It ended otherwise.</exception>
    public async Task FinishAsync(TimeSpan within)
    {
        await _stop.CancelAsync();
        await _feeding;
        _process.Input.Close();
        await _process.ExitAsync(within);
        if (_process.ExitCode != 0)
            throw new InvalidOperationException($"mosquitto_pub: exit code {_process.ExitCode}");
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _feeding;
        _process.Signal(Signals.Kill);
        _process.Dispose();
        _stop.Dispose();
    }

    private async Task FeedAsync(TimeSpan interval)
    {
        using var timer = new PeriodicTimer(interval, TimeProvider.System);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                var number = _ledger.Sent();
                await _process.Input.WriteAsync(SensorMatrix.Text(number) + "\n");
            }
        }
        catch (OperationCanceledException)
        {
            // Finished.
        }
        catch (IOException exception)
        {
            _ledger.Fault($"the sensor's program has ended: {exception.Message}");
        }
    }

    private void Read(string line)
    {
        if (line.Contains("CONNACK (0)", StringComparison.Ordinal))
            _connected.TrySetResult();
        var match = PubAck().Match(line);
        if (match.Success)
        {
            var packet = long.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
            var reason = int.Parse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture);
            // Packet IDs wrap; acknowledgements come close behind one another.
            var round = Math.Max(0, (_acknowledged - packet + PacketIdMax / 2) / PacketIdMax);
            _acknowledged = packet + round * PacketIdMax;
            // From 128 on the broker says no.
            if (reason < 128)
                _ledger.Acknowledged(_first + _acknowledged - 1);
            else
                _ledger.Fault($"the broker refused message {_first + _acknowledged - 1} with reason {reason}");
        }
    }

    [GeneratedRegex(@"received PUBACK \(Mid: (\d+), RC:(\d+)\)")]
    private static partial Regex PubAck();
}
