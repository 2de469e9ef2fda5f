using System.Net;
using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Durability;
using EdgeFirmware.Mqtt.Packets;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Mqtt.Tests.Durability;

/// <summary>
/// A broker that keeps its state in a directory. <see cref="PullThePlugAsync"/> takes a copy of the files as they are at that instant, as a
/// killed process leaves them, and goes on with a new broker on the copy.
/// </summary>
internal sealed class DurableBroker : IAsyncDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("edge-mqtt-").FullName;
    private readonly Action<BrokerOptions>? _configure;
    private int _generation;

    private DurableBroker(Action<BrokerOptions>? configure) => _configure = configure;

    public MqttBroker Broker { get; private set; } = null!;

    public RememberingLog Log { get; } = new();

    public string Files => Path.Combine(_root, $"{_generation}");

    public IPEndPoint Address => (IPEndPoint)Broker.Endpoints[0].Address;

    public static async Task<DurableBroker> StartAsync(Action<BrokerOptions>? configure = null)
    {
        var durable = new DurableBroker(configure);
        await durable.StartHereAsync();
        return durable;
    }

    public async Task PullThePlugAsync()
    {
        CopyFiles(Files, Path.Combine(_root, $"{_generation + 1}"));
        await Broker.StopAsync();
        _generation++;
        await StartHereAsync();
    }

    public async Task RestartAsync(Action? between = null)
    {
        await Broker.StopAsync();
        between?.Invoke();
        await StartHereAsync();
    }

    public async Task<(RawClient Client, bool SessionPresent)> ConnectAsync(
        string clientId, uint expirySeconds = 1000, LastWill? will = null, bool cleanStart = false)
    {
        var raw = await RawClient.OpenAsync(Address, ProtocolVersion.V5);
        await raw.SendAsync(new ConnectPacket
        {
            Version = ProtocolVersion.V5,
            ClientId = clientId,
            CleanStart = cleanStart,
            Will = will,
            Properties = new PacketProperties { SessionExpirySeconds = expirySeconds },
        });
        var answer = await raw.ReceiveAsync<ConnAckPacket>();
        Assert.Equal(ReasonCode.Success, answer.Reason);
        return (raw, answer.SessionPresent);
    }

    public async ValueTask DisposeAsync()
    {
        await Broker.StopAsync();
        Directory.Delete(_root, recursive: true);
    }

    public static void CopyFiles(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var path in Directory.GetFiles(from))
        {
            if (Path.GetFileName(path) == "lock") continue;
            try
            {
                using var source = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
                using var copy = File.Create(Path.Combine(to, Path.GetFileName(path)));
                source.CopyTo(copy);
            }
            catch (FileNotFoundException)
            {
                // A spare that was taken away meanwhile; callers see to it that nothing else is.
            }
        }
    }

    private async Task StartHereAsync()
    {
        var options = new BrokerOptions { RandomSeed = 1, Logger = Log, Durability = new DurabilityOptions { Directory = Files } };
        _configure?.Invoke(options);
        Broker = await MqttBroker.StartAsync(options, BrokerEndpoint.Tcp(IPAddress.Loopback, 0));
        await Within.Reason(Broker.Restored);
    }
}

/// <summary>Keeps what was logged.</summary>
internal sealed class RememberingLog : ILogger
{
    private readonly List<(LogLevel Level, string Text)> _lines = [];

    public IReadOnlyList<string> Of(LogLevel level)
    {
        lock (_lines) return [.. _lines.Where(line => line.Level == level).Select(line => line.Text)];
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_lines) _lines.Add((logLevel, formatter(state, exception)));
    }
}
