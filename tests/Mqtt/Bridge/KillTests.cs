using System.Collections.Concurrent;
using EdgeFirmware.Mqtt.Client;

namespace EdgeFirmware.Mqtt.Tests.Bridge;

/// <summary>Processes that are killed at any moment lose nothing they promised and double nothing.</summary>
public sealed class KillTests : IDisposable
{
    private const int Rounds = 8;

    private readonly string _root = Directory.CreateTempSubdirectory("edge-kill-").FullName;
    private readonly Random _random = new(7);

    [Fact]
    public async Task A_publisher_that_is_killed_again_and_again_delivers_each_message_exactly_once()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        var arrived = new ConcurrentQueue<string>();
        loopback.Broker.Subscribe("samples/numbers", message => arrived.Enqueue(message.Text()));
        var promised = new List<string>();
        for (var round = 0; round < Rounds; round++)
        {
            using var publisher = SampleProcess.Start("publish", "127.0.0.1", $"{loopback.Port}", Path.Combine(_root, "queue"), $"{round}", "100000");
            var enough = _random.Next(20, 600);
            await publisher.UntilAsync(lines => lines.Count >= enough, "it publishes");
            // Half of the time while it is cut off from the broker.
            if (round % 2 == 0) loopback.Broker.Disconnect("patient-publisher", ReasonCode.ServerBusy);
            promised.AddRange(await publisher.KillAsync());
        }

        using var last = SampleProcess.Start("publish", "127.0.0.1", $"{loopback.Port}", Path.Combine(_root, "queue"), "last", "0");
        await last.UntilAsync(lines => lines.Contains("done"), "drained");
        Assert.Empty(promised.Except(arrived));
        Assert.Equal(arrived.Distinct().Count(), arrived.Count);
        Assert.True(promised.Count > 100);
    }

    [Fact]
    public async Task A_bridged_broker_that_is_killed_again_and_again_forwards_each_message_exactly_once()
    {
        await using var cloud = await LoopbackBroker.StartAsync(options => options.Identity = "cloud");
        var arrived = new ConcurrentQueue<string>();
        cloud.Broker.Subscribe("data", message => arrived.Enqueue(message.Text()));
        var port = Site.FreePort();
        await using var client = new MqttClient(new MqttClientOptions
        {
            Server = MqttClientOptions.Tcp("127.0.0.1", port), ClientId = "sensor", CleanStart = false, SessionExpirySeconds = 1000, Reconnect = true,
            ReconnectDelay = TimeSpan.FromMilliseconds(20), ReconnectDelayMax = TimeSpan.FromMilliseconds(50), WhenQueueIsFull = FullQueue.Wait,
        });
        client.Start();
        var acknowledged = 0;
        using var stop = new CancellationTokenSource();
        var publishing = Enumerable.Range(0, 8).Select(lane => Task.Run(async () =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                Assert.Equal(ReasonCode.Success, Clean(await client.PublishAsync(Messages.Message("data", $"{lane}-{i}", QoS.ExactlyOnce))));
                Interlocked.Increment(ref acknowledged);
            }

            return lane;
        })).ToArray();
        SampleProcess? broker = null;
        for (var round = 0; round < Rounds; round++)
        {
            broker = SampleProcess.Start("bridge", $"{port}", Path.Combine(_root, "broker"), "127.0.0.1", $"{cloud.Port}");
            var enough = acknowledged + _random.Next(50, 500);
            await Within.Until(() => acknowledged >= enough, "it acknowledges");
            if (round == Rounds - 1) break;
            await broker.KillAsync();
            broker.Dispose();
        }

        await stop.CancelAsync();
        await Within.Reason(Task.WhenAll(publishing));
        await Within.Until(() => arrived.Count >= acknowledged, "all have arrived");
        Assert.Equal(acknowledged, arrived.Distinct().Count());
        Assert.Equal(acknowledged, arrived.Count);
        broker!.Dispose();
    }

    [Fact]
    public async Task The_calculator_answers()
    {
        using var rpc = SampleProcess.Start("rpc");
        await rpc.UntilAsync(lines => lines.Count == 2, "answers");
        Assert.Equal(["square: 144", "cube: NoMatchingSubscribers"], rpc.Lines);
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    /// <summary>Before the bridge has its session nobody may be listening, which is no failure.</summary>
    private static ReasonCode Clean(ReasonCode reason) => reason == ReasonCode.NoMatchingSubscribers ? ReasonCode.Success : reason;
}
