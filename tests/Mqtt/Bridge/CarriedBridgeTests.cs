using System.Collections.Concurrent;
using System.Globalization;
using EdgeFirmware.Mqtt.Bridge;
using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Tests.Durability;

namespace EdgeFirmware.Mqtt.Tests.Bridge;

/// <summary>Bridges whose messages the host carries.</summary>
public sealed class CarriedBridgeTests
{
    private static readonly BridgeTopic Everything = new("#", BridgeDirection.Out, QoS.ExactlyOnce);

    [Fact]
    public async Task Messages_arrive_with_all_they_carry()
    {
        await using var here = await DurableBroker.StartAsync(options => options.Identity = "here");
        await using var there = await DurableBroker.StartAsync(options => options.Identity = "there");
        var ferry = new Ferry("here", new BridgeIntake(there.Broker, static _ => true).Itself());
        var arrived = Listen(there.Broker);
        var bridge = here.Broker.Start(Over(ferry, new BridgeTopic("data/#", BridgeDirection.Out, QoS.ExactlyOnce, "", "site/")));
        await bridge.UpAsync();
        for (var qos = QoS.AtMostOnce; qos <= QoS.ExactlyOnce; qos++)
        {
            here.Broker.Publish(new MqttMessage
            {
                Topic = "data/t", Payload = "21"u8.ToArray(), QoS = qos, Retain = qos == QoS.ExactlyOnce, PayloadFormat = 1, MessageExpirySeconds = 100, ContentType = "text", ResponseTopic = "r",
                CorrelationData = new byte[] { 7 }, UserProperties = [new("b", "1"), new("a", "2")],
            });
        }

        await Within.Until(() => arrived.Count == 3, "all came");
        Assert.Equal([QoS.AtMostOnce, QoS.AtLeastOnce, QoS.ExactlyOnce], arrived.Select(message => message.QoS));
        foreach (var got in arrived)
        {
            Assert.Equal(("site/data/t", "21", (byte?)1, "text", "r"), (got.Topic, got.Text(), got.PayloadFormat, got.ContentType, got.ResponseTopic));
            Assert.Equal([7], got.CorrelationData!.Value.ToArray());
            Assert.InRange(got.MessageExpirySeconds!.Value, 1u, 100u);
            Assert.Equal([new("b", "1"), new("a", "2"), new(BridgeMark.Passed, "here")], got.UserProperties);
        }

        Assert.True(arrived.Last().Retain);
        await Within.Until(() => bridge.Status is { Forwarded: 3, QueuedMessages: 0, RemoteName: "there", Trouble: null }, "acknowledged");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Each_message_arrives_once_and_in_order_however_often_the_conversation_ends_and_the_plug_is_pulled_at_either_end(int seed)
    {
        const int Count = 600;
        var random = new Random(seed);
        await using var here = await DurableBroker.StartAsync(options => options.Identity = "here");
        await using var there = await DurableBroker.StartAsync(options => options.Identity = "there");
        var intake = new BridgeIntake(there.Broker, static _ => true);
        var ferry = new Ferry("here", () => intake);
        var arrived = Listen(there.Broker);
        here.Broker.Start(Over(ferry, Everything with { Priority = 0 }));
        var sent = 0;
        while (sent < Count)
        {
            for (var left = random.Next(1, 60); left > 0 && sent < Count; left--, sent++)
                here.Broker.Publish(Messages.Message($"t/{sent % 3}", $"{sent}", sent % 2 == 0 ? QoS.AtLeastOnce : QoS.ExactlyOnce));
            await Task.Delay(random.Next(0, 4));
            var what = random.Next(5);
            if (what == 0) continue;
            await Within.Reason(ferry.SeverAsync());
            if (what == 1)
            {
                // Acknowledged to whoever published it is what is on disk.
                await KeptAsync(here.Broker);
                await here.PullThePlugAsync();
                here.Broker.Start(Over(ferry, Everything with { Priority = 0 }));
            }
            else if (what == 2)
            {
                await KeptAsync(there.Broker);
                await there.PullThePlugAsync();
                intake = new BridgeIntake(there.Broker, static _ => true);
                Listen(there.Broker, arrived);
            }

            ferry.Mend();
        }

        await Within.Until(() => arrived.Count >= Count && here.Broker.Bridges[0].Status.QueuedMessages == 0, "all came");
        Assert.Equal(Enumerable.Range(0, Count), arrived.Select(message => int.Parse(message.Text(), CultureInfo.InvariantCulture)));
    }

    [Fact]
    public async Task A_message_on_a_known_topic_costs_four_bytes_more_than_its_payload()
    {
        await using var here = await DurableBroker.StartAsync(options => options.Identity = "here");
        var ferry = new Ferry("here", static () => throw new InvalidOperationException("nobody is there"));
        here.Broker.Start(Over(ferry, Everything));
        await Within.Until(() => here.Broker.Clients.Count == 1, "the bridge has its session");
        for (var i = 0; i < 3; i++) here.Broker.Publish(Messages.Message("building/7/floor/3/temperature", new string('x', 32), QoS.AtLeastOnce));
        var sizes = new List<int>();
        for (var i = 0; i < 3; i++) sizes.Add((await Within.Reason(ferry.Posted.Reader.ReadAsync())).Body.Length - 32);
        Assert.InRange(sizes[1], 1, 4);
        Assert.InRange(sizes[2], 1, 4);
    }

    [Fact]
    public async Task What_is_urgent_goes_in_a_lane_of_its_own()
    {
        await using var here = await LoopbackBroker.StartAsync(options => options.Identity = "here");
        var ferry = new Ferry("here", static () => throw new InvalidOperationException("nobody is there"));
        here.Broker.Start(Over(ferry, new("alarm", BridgeDirection.Out, Priority: 5), new("log", BridgeDirection.Out, Priority: -1), new("#", BridgeDirection.Out)));
        await Within.Until(() => here.Broker.Clients.Count == 1, "the bridge has its session");
        foreach (var topic in (string[])["log", "other", "alarm"]) here.Broker.Publish(Messages.Message(topic, "x", QoS.AtLeastOnce));
        for (byte lane = 3; lane-- > 0;) Assert.Equal(lane, (await Within.Reason(ferry.Posted.Reader.ReadAsync())).Lane);
    }

    [Fact]
    public async Task A_message_makes_no_round()
    {
        await using var here = await LoopbackBroker.StartAsync(options => options.Identity = "here");
        await using var there = await LoopbackBroker.StartAsync(options => options.Identity = "there");
        var back = new BridgeIntake(here.Broker, static _ => true);
        here.Broker.Start(Over(new Ferry("here", new BridgeIntake(there.Broker, static _ => true).Itself()), Everything));
        // It does not know the name at the other end, and so cannot keep it back itself.
        there.Broker.Start(Over(new Ferry("there", back.Itself()) { RemoteName = null }, Everything));
        await here.Broker.Bridges[0].UpAsync();
        await there.Broker.Bridges[0].UpAsync();
        var arrived = Listen(here.Broker);
        here.Broker.Publish(Messages.Message("t", "1", QoS.ExactlyOnce));
        await Within.Until(() => back.Dropped.GetValueOrDefault("loop") >= 1, "known again");
        Assert.Equal(0, back.Received);
        Assert.Single(arrived);
    }

    [Fact]
    public async Task What_must_not_be_published_here_is_counted_and_done_with()
    {
        await using var there = await LoopbackBroker.StartAsync(options => options.Identity = "there");
        await using var here = await LoopbackBroker.StartAsync(options => options.Identity = "here");
        var intake = new BridgeIntake(there.Broker, static topic => topic != "secret");
        var bridge = here.Broker.Start(Over(new Ferry("here", () => intake), Everything));
        await bridge.UpAsync();
        var arrived = Listen(there.Broker);
        foreach (var topic in (string[])["secret", "open"]) here.Broker.Publish(Messages.Message(topic, "x", QoS.ExactlyOnce));
        await Within.Until(() => bridge.Status.Forwarded == 2, "done with");
        Assert.Equal(["open"], arrived.Select(message => message.Topic));
        Assert.Equal(1, intake.Dropped["not-allowed"]);
    }

    [Fact]
    public async Task Bytes_that_make_no_sense_are_counted_and_change_nothing()
    {
        await using var there = await LoopbackBroker.StartAsync(options => options.Identity = "there");
        var intake = new BridgeIntake(there.Broker, static _ => true);
        var random = new Random(5);
        var last = 0L;
        var good = CarriedFrame.Encode(
            new() { Message = Messages.Message("t", "payload", QoS.ExactlyOnce) with { ContentType = "text" }, QoS = QoS.ExactlyOnce, TopicAlias = 1 }, "t", Guid.NewGuid(), 7, ref last);
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = good[..random.Next(0, good.Length + 1)];
            for (var flips = random.Next(0, 4); flips > 0 && bytes.Length > 0; flips--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            await intake.TakeAsync($"n{i % 5}", 1, bytes);
        }

        Assert.True(intake.Dropped["malformed"] > 1000);
        await intake.TakeAsync("fresh", 1, good);
        Assert.True(intake.Received > 0);
    }

    [Fact]
    public async Task Trouble_is_shown_and_passes()
    {
        await using var here = await LoopbackBroker.StartAsync(options => options.Identity = "here");
        await using var there = await LoopbackBroker.StartAsync(options => options.Identity = "there");
        var ferry = new Ferry("here", new BridgeIntake(there.Broker, static _ => true).Itself()) { Trouble = "no way leads there" };
        var bridge = here.Broker.Start(Over(ferry, Everything));
        await Within.Until(() => bridge.Status is { Connected: false, Trouble: "no way leads there" }, "in trouble");
        ferry.Trouble = null;
        await bridge.UpAsync();
        Assert.Null(bridge.Status.Trouble);
    }

    private static BridgeOptions Over(Ferry ferry, params BridgeTopic[] topics) =>
        new() { Name = "over", Carrier = ferry, Topics = topics, InFlightMax = BridgeOptions.CarriedInFlightMax };

    private static ConcurrentQueue<MqttMessage> Listen(MqttBroker broker, ConcurrentQueue<MqttMessage>? into = null)
    {
        var arrived = into ?? [];
        broker.Subscribe("#", arrived.Enqueue);
        return arrived;
    }

    private static Task KeptAsync(MqttBroker broker)
    {
        var kept = new TaskCompletionSource();
        broker.Change(static () => { }, kept.SetResult);
        return Within.Reason(kept.Task);
    }
}

internal static class IntakeExtensions
{
    public static Func<BridgeIntake> Itself(this BridgeIntake intake) => () => intake;
}
