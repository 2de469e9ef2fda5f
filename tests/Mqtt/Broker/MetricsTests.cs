using System.Diagnostics.Metrics;
using System.Text;
using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Packets;
using EdgeFirmware.Mqtt.Topics;

namespace EdgeFirmware.Mqtt.Tests.Broker;

/// <summary>What a broker tells of itself through System.Diagnostics.Metrics, and that every limit that is met is counted as that limit.</summary>
public sealed class MetricsTests
{
    /// <summary>Each with what a hostile or careless client does to meet it. The others need time, a disk or much memory, and have their tests elsewhere.</summary>
    public static TheoryData<BrokerLimit> Met =>
    [
        BrokerLimit.Connections, BrokerLimit.Handshakes, BrokerLimit.ConnectPacketBytes, BrokerLimit.ClientId, BrokerLimit.Sessions, BrokerLimit.PacketBytes,
        BrokerLimit.Topic, BrokerLimit.TopicAlias, BrokerLimit.Receive, BrokerLimit.Subscriptions, BrokerLimit.SubscriptionBytes, BrokerLimit.Queue,
        BrokerLimit.Retained,
    ];

    [Theory]
    [MemberData(nameof(Met))]
    public async Task A_limit_that_is_met_is_counted_and_no_other_is(BrokerLimit limit)
    {
        await using var loopback = await LoopbackBroker.StartAsync(options =>
        {
            options.Limits.ConnectionsMax = limit == BrokerLimit.Connections ? 1 : 10;
            options.Limits.HandshakesMax = limit == BrokerLimit.Handshakes ? 1 : 10;
            options.Limits.SessionsMax = limit == BrokerLimit.Sessions ? 1 : 10;
            options.Limits.PacketBytesMax = 4096;
            options.Limits.ConnectPacketBytesMax = 1024;
            options.Limits.ClientIdCharsMax = 20;
            options.Limits.TopicLevelsMax = 4;
            options.Limits.TopicAliasMax = 1;
            options.Limits.ReceiveMax = 1;
            options.Limits.SubscriptionsPerClientMax = 2;
            options.Limits.SubscriptionBytesMax = limit == BrokerLimit.SubscriptionBytes ? 400 : 10_000;
            options.Limits.QueuedMessagesMax = 1;
            options.Limits.RetainedMessagesMax = 1;
        });
        using var client = await loopback.ConnectRawAsync(Messages.Connect("a client"));
        await MeetAsync(limit, loopback, client);

        await Within.Until(() => loopback.Broker.Statistics.Hits(limit) > 0, $"{limit} is counted");
        var statistics = loopback.Broker.Statistics;
        Assert.Equal([limit], Enum.GetValues<BrokerLimit>().Where(other => statistics.Hits(other) > 0));
        Assert.Equal(1, ReadMeter(loopback.Broker)[$"mqtt.broker.limit.hits {limit}"]);
    }

    [Fact]
    public async Task The_meter_tells_what_the_statistics_and_SYS_tell()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var client = await loopback.ConnectRawAsync(Messages.Connect("one"));
        await client.SendAsync(new SubscribePacket { PacketId = 1, Entries = [new("a/#", new SubscriptionOptions(QoS.AtLeastOnce))] });
        await client.ReceiveAsync<SubAckPacket>();
        await client.SendAsync(Messages.Publish(Messages.Message("a/b", "hello", QoS.AtLeastOnce, retain: true), 2));
        await client.ReceiveAsync<PublishPacket>();

        var told = ReadMeter(loopback.Broker);
        Assert.Equal(
            [1, 1, 1, 1, 1, 1, 1, 5, 5],
            new[]
            {
                "connections", "clients.connected", "sessions", "subscriptions", "messages.received", "messages.sent", "messages.inflight",
                "payload.received.bytes", "payload.sent.bytes",
            }.Select(name => told["mqtt.broker." + name]));
        Assert.Equal(BrokerMetric.All.Count + Enum.GetValues<BrokerLimit>().Length, told.Count);

        await client.SendAsync(Messages.Ack(PacketType.PubAck, 1));
        await Within.Until(() => ReadMeter(loopback.Broker)["mqtt.broker.messages.inflight"] == 0, "a second reading is a new one");
    }

    [Fact]
    public async Task Every_name_of_SYS_that_is_a_number_is_a_metric()
    {
        var time = new ManualTime();
        await using var loopback = await LoopbackBroker.StartAsync(options => options.TimeProvider = time);
        var told = new List<string>();
        using (loopback.Broker.Subscribe("$SYS/#", message => { lock (told) told.Add(message.Topic["$SYS/broker/".Length..]); }))
            await Within.Until(() => { time.Advance(TimeSpan.FromSeconds(1)); lock (told) return told.Count > 0; }, "told");
        var known = BrokerMetric.All.SelectMany(metric => metric.SysNames).ToHashSet();
        lock (told) Assert.All(told.Where(name => !name.StartsWith("load/", StringComparison.Ordinal) && name is not ("version" or "uptime")), name => Assert.Contains(name, known));
        Assert.All(known, name => Assert.True(TopicName.IsValid("$SYS/broker/" + name)));
    }

    [Fact]
    public async Task A_broker_that_ended_is_not_asked_any_more()
    {
        var loopback = await LoopbackBroker.StartAsync();
        await loopback.DisposeAsync();
        Assert.Empty(ReadMeter(loopback.Broker));
    }

    private static async Task MeetAsync(BrokerLimit limit, LoopbackBroker loopback, RawClient client)
    {
        switch (limit)
        {
            case BrokerLimit.Connections:
                using (var other = await loopback.OpenRawAsync()) Assert.Null(await other.ReceiveAsync());
                break;
            case BrokerLimit.Handshakes:
                using (var first = await loopback.OpenRawAsync())
                {
                    await Within.Until(() => loopback.Broker.Statistics.Connections == 2, "the first is accepted");
                    using var second = await loopback.OpenRawAsync();
                    Assert.Null(await first.ReceiveAsync());
                }

                break;
            case BrokerLimit.ConnectPacketBytes:
                await RefuseAsync(loopback, new string('x', 2000));
                break;
            case BrokerLimit.ClientId:
                await RefuseAsync(loopback, new string('x', 21));
                break;
            case BrokerLimit.Sessions:
                await RefuseAsync(loopback, "another");
                break;
            case BrokerLimit.PacketBytes:
                await client.SendAsync(Messages.Publish(Messages.Message("t", new string('x', 5000))));
                await EndsAsync(client, ReasonCode.PacketTooLarge);
                break;
            case BrokerLimit.Topic:
                await client.SendAsync(Messages.Publish(Messages.Message("1/2/3/4/5", "x", QoS.AtLeastOnce), 1));
                Assert.Equal(ReasonCode.TopicNameInvalid, (await client.ReceiveAckAsync(PacketType.PubAck)).Reason);
                break;
            case BrokerLimit.TopicAlias:
                await client.SendAsync(new PublishPacket { Message = Messages.Message("t", "x"), Properties = new PacketProperties { TopicAlias = 2 } });
                await EndsAsync(client, ReasonCode.TopicAliasInvalid);
                break;
            case BrokerLimit.Receive:
                await client.SendAsync(Messages.Publish(Messages.Message("t", "x", QoS.ExactlyOnce), 1));
                await client.SendAsync(Messages.Publish(Messages.Message("t", "x", QoS.ExactlyOnce), 2));
                await client.ReceiveAckAsync(PacketType.PubRec);
                await EndsAsync(client, ReasonCode.ReceiveMaximumExceeded);
                break;
            case BrokerLimit.Subscriptions:
                Assert.Equal([ReasonCode.Success, ReasonCode.Success, ReasonCode.QuotaExceeded], await SubscribeAsync(client, "1", "2", "3"));
                break;
            case BrokerLimit.SubscriptionBytes:
                Assert.Equal([ReasonCode.Success, ReasonCode.QuotaExceeded], await SubscribeAsync(client, "1", "2"));
                break;
            case BrokerLimit.Queue:
                await LeaveAsync(loopback);
                for (ushort id = 1; id <= 2; id++)
                {
                    await client.SendAsync(Messages.Publish(Messages.Message("away/1", "x", QoS.AtLeastOnce), id));
                    Assert.Equal(ReasonCode.Success, (await client.ReceiveAckAsync(PacketType.PubAck)).Reason);
                }

                break;
            case BrokerLimit.Retained:
                await client.SendAsync(Messages.Publish(Messages.Message("r/1", "x", QoS.AtMostOnce, retain: true)));
                await client.SendAsync(Messages.Publish(Messages.Message("r/2", "x", QoS.AtLeastOnce, retain: true), 1));
                Assert.Equal(ReasonCode.QuotaExceeded, (await client.ReceiveAckAsync(PacketType.PubAck)).Reason);
                break;
            default:
                Assert.Fail($"nobody knows how to meet {limit}");
                break;
        }
    }

    private static async Task RefuseAsync(LoopbackBroker loopback, string clientId)
    {
        using var other = await loopback.OpenRawAsync();
        await other.SendAsync(Messages.Connect(clientId));
        var answer = await other.ReceiveAsync();
        if (answer is not null) Assert.True(Assert.IsType<ConnAckPacket>(answer).Reason.IsFailure());
    }

    private static async Task EndsAsync(RawClient client, ReasonCode reason) =>
        Assert.Equal(reason, (await client.ReceiveAsync<ReasonPacket>()).Reason);

    private static async Task<IEnumerable<ReasonCode>> SubscribeAsync(RawClient client, params string[] filters)
    {
        await client.SendAsync(new SubscribePacket { PacketId = 1, Entries = [.. filters.Select(filter => new SubscribeEntry(filter, new SubscriptionOptions()))] });
        return (await client.ReceiveAsync<SubAckPacket>()).Reasons;
    }

    /// <summary>A session without its client, for what is below "away".</summary>
    private static async Task LeaveAsync(LoopbackBroker loopback)
    {
        using (var away = await loopback.ConnectRawAsync(Messages.Keep("away")))
        {
            await away.SendAsync(new SubscribePacket { PacketId = 1, Entries = [new("away/#", new SubscriptionOptions(QoS.AtLeastOnce))] });
            await away.ReceiveAsync<SubAckPacket>();
        }

        await loopback.AwayAsync("away");
    }

    /// <summary>All metrics of one broker, by name and limit.</summary>
    private static Dictionary<string, long> ReadMeter(MqttBroker broker)
    {
        var read = new Dictionary<string, long>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == MqttBroker.MeterName && ReferenceEquals(instrument.Meter.Scope, broker)) self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            var name = new StringBuilder(instrument.Name);
            foreach (var tag in tags) name.Append(' ').Append(tag.Value);
            read.Add(name.ToString(), value);
        });
        listener.Start();
        listener.RecordObservableInstruments();
        return read;
    }
}
