using System.Net;
using EdgeFirmware.Mqtt.Bridge;
using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Packets;
using EdgeFirmware.Mqtt.Tests.Durability;

namespace EdgeFirmware.Mqtt.Tests.Bridge;

public sealed class BridgeTests
{
    private static readonly BridgeTopic Everything = new("#", QoS: QoS.ExactlyOnce);

    [Fact]
    public async Task Messages_go_both_ways_under_their_prefixes_with_all_they_carry()
    {
        await using var cloud = await Site.BrokerAsync("cloud");
        await using var edge = await Site.BrokerAsync("edge");
        var bridge = edge.Broker.Start(Site.To(cloud.Address, new("data/#", BridgeDirection.Out, QoS.ExactlyOnce, "", "site/7/"), new("set/#", BridgeDirection.In, QoS.AtLeastOnce, "from/", "site/7/")));
        await bridge.UpAsync();
        var above = await cloud.ConnectAsync("above");
        await above.SubscribeAsync("#", QoS.ExactlyOnce);
        var below = await edge.ConnectAsync("below");
        await below.SubscribeAsync("from/#", QoS.ExactlyOnce);
        var message = new MqttMessage
        {
            Topic = "data/t", Payload = "21"u8.ToArray(), QoS = QoS.ExactlyOnce, ContentType = "text", ResponseTopic = "r", CorrelationData = new byte[] { 7 },
            UserProperties = [new("b", "1"), new("a", "2")],
        };
        await below.PublishAsync(message);
        var got = (await Within.Reason(above.ReceiveAsync())).Message;
        Assert.Equal(("site/7/data/t", "21", QoS.ExactlyOnce, "text", "r"), (got.Topic, got.Text(), got.QoS, got.ContentType, got.ResponseTopic));
        Assert.Equal([new("b", "1"), new("a", "2"), new(BridgeMark.Passed, "edge")], got.UserProperties);
        await above.PublishAsync(Messages.Message("site/7/set/x", "on", QoS.ExactlyOnce));
        var set = (await Within.Reason(below.ReceiveAsync())).Message;
        Assert.Equal(("from/set/x", "on", QoS.AtLeastOnce), (set.Topic, set.Text(), set.QoS));
        await Within.Until(() => bridge.Status is { Forwarded: 1, Received: 1, QueuedMessages: 0, RemoteName: "cloud" }, "counted");
    }

    [Fact]
    public async Task A_backlog_of_a_hundred_thousand_drains_by_itself_when_the_other_broker_is_back_and_gives_its_disk_back()
    {
        var port = Site.FreePort();
        await using var edge = await DurableBroker.StartAsync(options => options.Identity = "edge");
        var bridge = edge.Broker.Start(Site.To(new IPEndPoint(IPAddress.Loopback, port), new BridgeTopic("#", BridgeDirection.Out)));
        await Within.Until(() => edge.Broker.Clients.Count == 1, "the bridge has its session");
        for (var i = 0; i < 100_000; i++) edge.Broker.Publish(Messages.Message($"t/{i % 10}", $"{i}", QoS.AtLeastOnce));
        Assert.Equal(100_000, bridge.Status.QueuedMessages);
        await Within.Until(() => edge.Broker.Statistics.DiskBytes > 5_000_000, "on disk");

        await using var cloud = await MqttBroker.StartAsync(new BrokerOptions(), BrokerEndpoint.Tcp(IPAddress.Loopback, port));
        var last = new int[10];
        var inOrder = true;
        cloud.Subscribe("#", message =>
        {
            var number = int.Parse(message.Text(), System.Globalization.CultureInfo.InvariantCulture);
            inOrder &= number == 0 || number >= last[number % 10];
            last[number % 10] = number;
        });
        await Within.Until(() => cloud.Statistics.MessagesIn == 100_000 && bridge.Status is { QueuedMessages: 0, Forwarded: 100_000 }, "drained");
        Assert.True(inOrder);
        await Within.Until(() => edge.Broker.Statistics.DiskBytes <= 4 * EdgeFirmware.Mqtt.Durability.Segment.AllocatedBytes, "given back");
    }

    [Fact]
    public async Task Nothing_is_lost_or_doubled_when_the_plug_is_pulled_with_a_backlog_and_messages_in_flight()
    {
        using var cloud = new StandIn();
        await using var edge = await DurableBroker.StartAsync(options => options.Identity = "edge");
        edge.Broker.Start(Site.To(cloud.Address, new BridgeTopic("#", BridgeDirection.Out, QoS.ExactlyOnce)));
        var remote = await cloud.AcceptAsync(sessionPresent: false, receiveMaximum: 3);
        var (publisher, _) = await edge.ConnectAsync("p");
        for (ushort i = 1; i <= 5; i++)
        {
            await publisher.SendAsync(Messages.Publish(Messages.Message("t", $"{i}", QoS.AtLeastOnce), i));
            await publisher.ReceiveAckAsync(PacketType.PubAck);
        }

        var ids = new List<ushort>();
        for (var i = 0; i < 3; i++) ids.Add((await remote.ReceiveAsync<PublishPacket>()).PacketId);
        await remote.SendAsync(Messages.Ack(PacketType.PubAck, ids[0]));
        Assert.Equal("4", (await remote.ReceiveAsync<PublishPacket>()).Message.Text());
        await edge.PullThePlugAsync();

        edge.Broker.Start(Site.To(cloud.Address, new BridgeTopic("#", BridgeDirection.Out, QoS.ExactlyOnce)));
        remote = await cloud.AcceptAsync(sessionPresent: true);
        var texts = new List<string>();
        while (texts.Count == 0 || texts[^1] != "5") texts.Add((await remote.ReceiveAsync<PublishPacket>()).Message.Text());
        // The first acknowledgement may or may not have reached the disk: QoS 1.
        Assert.Equal(["2", "3", "4", "5"], texts.SkipWhile(text => text == "1"));
    }

    [Fact]
    public async Task Urgent_topics_go_first_while_a_backlog_drains_and_order_is_kept_among_equals()
    {
        using var cloud = new StandIn();
        await using var edge = await Site.BrokerAsync("edge");
        var bridge = edge.Broker.Start(Site.To(cloud.Address, new("alarm/#", BridgeDirection.Out, Priority: 5), new("#", BridgeDirection.Out)));
        await Within.Until(() => edge.Broker.Clients.Count == 1, "the bridge has its session");
        foreach (var text in (string[])["data/1", "alarm/1", "data/2", "alarm/2", "data/3"]) edge.Broker.Publish(Messages.Message(text, text, QoS.AtLeastOnce));
        var remote = await cloud.AcceptAsync(sessionPresent: false);
        var order = new List<string>();
        for (var i = 0; i < 5; i++) order.Add((await remote.ReceiveAsync<PublishPacket>()).Message.Text());
        Assert.Equal(["alarm/1", "alarm/2", "data/1", "data/2", "data/3"], order);
        Assert.Equal(5, bridge.Status.QueuedMessages);
    }

    [Fact]
    public async Task A_full_queue_drops_the_oldest_of_QoS_0_first_and_counts_everything()
    {
        await using var edge = await Site.BrokerAsync("edge");
        var options = Site.To(new IPEndPoint(IPAddress.Loopback, 1), new BridgeTopic("#", BridgeDirection.Out));
        options.QueuedMessagesMax = 4;
        var bridge = edge.Broker.Start(options);
        await Within.Until(() => edge.Broker.Clients.Count == 1, "the bridge has its session");
        foreach (var (text, qos) in new[] { ("a", QoS.AtMostOnce), ("b", QoS.AtLeastOnce), ("c", QoS.AtMostOnce), ("d", QoS.AtLeastOnce), ("e", QoS.AtLeastOnce), ("f", QoS.AtLeastOnce) })
            edge.Broker.Publish(Messages.Message("t", text, qos));
        Assert.Equal((4, 2L), (bridge.Status.QueuedMessages, bridge.Status.Dropped["queue-full"]));
        var waiting = edge.Broker.Core.Sessions["$bridge/up"].Outbound;
        edge.Broker.Publish(Messages.Message("t", "g", QoS.AtLeastOnce));
        Assert.Equal((4, 3L), (bridge.Status.QueuedMessages, bridge.Status.Dropped["queue-full"]));
        Assert.Equal(4, waiting.QueuedMessages);
    }

    [Fact]
    public async Task What_waited_too_long_is_dropped_and_counted()
    {
        var time = new ManualTime();
        await using var edge = await Site.BrokerAsync("edge", options => options.TimeProvider = time);
        var options = Site.To(new IPEndPoint(IPAddress.Loopback, 1), new BridgeTopic("#", BridgeDirection.Out));
        options.MessageAgeMax = TimeSpan.FromMinutes(1);
        var bridge = edge.Broker.Start(options);
        await Within.Until(() => edge.Broker.Clients.Count == 1, "the bridge has its session");
        edge.Broker.Publish(Messages.Message("t", "old", QoS.AtLeastOnce));
        time.AdvanceSeconds(50);
        edge.Broker.Publish(Messages.Message("t", "new", QoS.AtLeastOnce));
        time.AdvanceSeconds(20);
        Assert.Equal((1, 1L), (bridge.Status.QueuedMessages, bridge.Status.Dropped["too-old"]));
    }

    [Fact]
    public async Task A_message_the_other_broker_does_not_take_is_dropped_and_does_not_block_the_rest()
    {
        await using var cloud = await Site.BrokerAsync("cloud", options => options.Limits.PacketBytesMax = 2000);
        await using var edge = await Site.BrokerAsync("edge");
        var bridge = edge.Broker.Start(Site.To(cloud.Address, new BridgeTopic("#", BridgeDirection.Out), new BridgeTopic("x", BridgeDirection.Out)));
        await bridge.UpAsync();
        var above = await cloud.ConnectAsync("above");
        await above.SubscribeAsync("t", QoS.AtLeastOnce);
        edge.Broker.Publish(Messages.Message("t", new string('x', 5000), QoS.AtLeastOnce));
        edge.Broker.Publish(Messages.Message("t", "fits", QoS.AtLeastOnce));
        Assert.Equal(["fits"], await above.TakeAsync(1));
        await Within.Until(() => bridge.Status is { QueuedMessages: 0, Forwarded: 1 }, "settled");
        Assert.Equal(1, bridge.Status.Dropped["too-large"]);
    }

    [Fact]
    public async Task A_refusal_is_counted_and_want_of_room_is_waited_for()
    {
        using var cloud = new StandIn();
        await using var edge = await Site.BrokerAsync("edge");
        var bridge = edge.Broker.Start(Site.To(cloud.Address, new BridgeTopic("#", BridgeDirection.Out, QoS.ExactlyOnce)));
        var remote = await cloud.AcceptAsync(sessionPresent: false);
        edge.Broker.Publish(Messages.Message("t", "refused", QoS.AtLeastOnce));
        await remote.SendAsync(Messages.Ack(PacketType.PubAck, (await remote.ReceiveAsync<PublishPacket>()).PacketId, ReasonCode.NotAuthorized));
        await Within.Until(() => bridge.Status.QueuedMessages == 0, "given up");
        Assert.Equal(1, bridge.Status.Dropped["refused"]);

        edge.Broker.Publish(Messages.Message("t", "patience", QoS.ExactlyOnce));
        await remote.SendAsync(Messages.Ack(PacketType.PubRec, (await remote.ReceiveAsync<PublishPacket>()).PacketId, ReasonCode.QuotaExceeded));
        remote = await cloud.AcceptAsync(sessionPresent: true);
        Assert.Equal("patience", (await remote.ReceiveAsync<PublishPacket>()).Message.Text());
        Assert.Equal(1, bridge.Status.QueuedMessages);
    }

    [Fact]
    public async Task A_broker_that_has_lost_everything_gets_subscriptions_retained_messages_and_backlog_anew()
    {
        var port = Site.FreePort();
        await using var edge = await Site.BrokerAsync("edge");
        var cloud = await MqttBroker.StartAsync(new BrokerOptions(), BrokerEndpoint.Tcp(IPAddress.Loopback, port));
        cloud.Publish(Messages.Message("down/kept", "theirs", QoS.AtLeastOnce, retain: true));
        edge.Broker.Publish(Messages.Message("up/kept", "ours", QoS.AtLeastOnce, retain: true));
        var bridge = edge.Broker.Start(Site.To(new IPEndPoint(IPAddress.Loopback, port), Everything));
        var below = await edge.ConnectAsync("below");
        await below.SubscribeAsync("down/#", QoS.ExactlyOnce);
        Assert.Equal(["theirs"], await below.TakeAsync(1));
        await Within.Until(() => cloud.Statistics.RetainedMessages == 2, "retained over there");
        await cloud.StopAsync();
        await bridge.DownAsync();
        edge.Broker.Publish(Messages.Message("up/1", "backlog", QoS.ExactlyOnce));

        await using var again = await MqttBroker.StartAsync(new BrokerOptions(), BrokerEndpoint.Tcp(IPAddress.Loopback, port));
        await Within.Until(() => again.Statistics is { Subscriptions: 1, RetainedMessages: 1 }, "told again what is retained here, and not what came from there");
        await Within.Until(() => bridge.Status.QueuedMessages == 0, "drained");
        again.Publish(Messages.Message("down/2", "more", QoS.AtLeastOnce));
        Assert.Equal(["more"], await below.TakeAsync(1));
    }

    [Fact]
    public async Task In_a_ring_of_three_a_message_makes_no_round()
    {
        await using var a = await Site.BrokerAsync("a");
        await using var b = await Site.BrokerAsync("b");
        await using var c = await Site.BrokerAsync("c");
        LoopbackBroker[] ring = [a, b, c];
        var seen = new List<string>[3];
        for (var i = 0; i < 3; i++)
        {
            var mine = seen[i] = [];
            ring[i].Broker.Subscribe("#", message => { lock (mine) mine.Add(message.Text()); });
            ring[i].Broker.Start(Site.To($"ring{i}", ring[(i + 1) % 3].Address, Everything));
        }

        foreach (var one in ring) await one.Broker.Bridges[0].UpAsync();
        await Within.Until(() => ring.All(one => one.Broker.Statistics.Subscriptions >= 3), "all have subscribed");
        for (var i = 0; i < 20; i++) a.Broker.Publish(Messages.Message("t", $"{i}", QoS.AtLeastOnce));
        // Each of the others gets it both ways round, and it ends there.
        await Within.Until(() => seen[1].Count == 40 && seen[2].Count == 40, "everywhere");
        await Within.Until(() => ring.All(one => one.Broker.Bridges[0].Status.QueuedMessages == 0), "quiet");
        Assert.Equal(20, seen[0].Count);
        Assert.Equal((40, 40), (seen[1].Count, seen[2].Count));
    }

    [Fact]
    public async Task In_a_ring_with_one_direction_each_broker_gets_a_message_once()
    {
        await using var a = await Site.BrokerAsync("a");
        await using var b = await Site.BrokerAsync("b");
        await using var c = await Site.BrokerAsync("c");
        LoopbackBroker[] ring = [a, b, c];
        for (var i = 0; i < 3; i++)
        {
            ring[i].Broker.Start(Site.To($"ring{i}", ring[(i + 1) % 3].Address, new BridgeTopic("#", BridgeDirection.Out, QoS.ExactlyOnce)));
            await ring[i].Broker.Bridges[0].UpAsync();
        }

        for (var i = 0; i < 20; i++) b.Broker.Publish(Messages.Message("t", $"{i}", QoS.ExactlyOnce));
        await Within.Until(() => c.Broker.Bridges[0].Status.Forwarded == 20, "once around");
        // Two more each: that the bridge was down, and that it is up.
        Assert.Equal((22, 22, 22), (a.Broker.Statistics.MessagesIn, b.Broker.Statistics.MessagesIn, c.Broker.Statistics.MessagesIn));
        Assert.Equal((0, 0), (a.Broker.Bridges[0].Status.QueuedMessages, a.Broker.Bridges[0].Status.Forwarded));
    }

    [Fact]
    public async Task Its_state_is_told_and_no_client_can_take_its_session()
    {
        await using var cloud = await Site.BrokerAsync("cloud");
        await using var edge = await Site.BrokerAsync("edge");
        var watcher = await edge.ConnectAsync("watcher");
        await watcher.SubscribeAsync("$SYS/broker/connection/+/state");
        var bridge = edge.Broker.Start(Site.To(cloud.Address, Everything));
        Assert.Equal(["0", "1"], await watcher.TakeAsync(2));
        cloud.Broker.Disconnect("bridge-up");
        Assert.Equal(["0", "1"], await watcher.TakeAsync(2));
        Assert.Contains("AdministrativeAction", edge.Broker.Bridges[0].Status.Trouble ?? "AdministrativeAction");
        var thief = edge.NewClient("$bridge/up", options => options.CleanStart = false);
        Assert.Equal(ReasonCode.ClientIdentifierNotValid, (await Within.Reason(thief.ConnectAsync())).Reason);
        Assert.False(edge.Broker.EndSession("$bridge/up"));
        Assert.True(bridge.Status.Attempts >= 2);
    }

    [Fact]
    public async Task A_bridge_to_its_own_broker_or_with_wrong_options_does_nothing()
    {
        await using var edge = await Site.BrokerAsync("edge");
        var bridge = edge.Broker.Start(Site.To(edge.Address, Everything));
        await Within.Until(() => bridge.Status.Trouble == "the other broker is this one", "noticed");
        await using var other = await Site.BrokerAsync("other");
        Assert.Throws<ArgumentException>(() => other.Broker.StartBridges([Site.To(edge.Address)]));
        Assert.Throws<ArgumentException>(() => other.Broker.StartBridges([Site.To(edge.Address, Everything), Site.To(edge.Address, Everything)]));
        await using var nameless = await LoopbackBroker.StartAsync();
        Assert.Throws<ArgumentException>(() => nameless.Broker.StartBridges([Site.To(edge.Address, Everything)]));
    }
}
