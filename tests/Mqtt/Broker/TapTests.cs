using System.Collections.Concurrent;
using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Broker;

public sealed class TapTests
{
    [Fact]
    public async Task A_taken_message_is_not_routed_and_a_routed_one_is()
    {
        var tap = new RecordingTap { OnMessage = (message, _) => message.Topic == "mine" ? TapVerdict.Taken : TapVerdict.Route };
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Tap = tap);
        var client = await loopback.ConnectAsync("c");
        await client.SubscribeAsync("#");
        await client.PublishAsync(Messages.Message("mine", "1", QoS.AtLeastOnce, retain: true));
        await client.PublishAsync(Messages.Message("others", "2", QoS.AtLeastOnce));
        Assert.Equal("others", (await Within.Reason(client.ReceiveAsync())).Message.Topic);
        Assert.Equal(0, loopback.Broker.Statistics.RetainedMessages);
        Assert.Equal(["publish c 1", "publish c 2"], tap.Events.Where(happened => happened.StartsWith("publish", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(QoS.AtLeastOnce, PacketType.PubAck)]
    [InlineData(QoS.ExactlyOnce, PacketType.PubRec)]
    public async Task Deferred_acknowledgements_go_out_in_the_order_the_messages_came(QoS qos, object ackType)
    {
        var holds = new ConcurrentDictionary<string, PublishHold>();
        var tap = new RecordingTap
        {
            OnMessage = (message, hold) =>
            {
                if (message.Text() != "2") hold.Defer();
                holds[message.Text()] = hold;
                return TapVerdict.Taken;
            },
        };
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Tap = tap);
        using var raw = await loopback.ConnectRawAsync("r");
        await raw.SendAsync(
            Messages.Publish(Messages.Message("t", "1", qos), 11),
            Messages.Publish(Messages.Message("t", "2", qos), 12),
            Messages.Publish(Messages.Message("t", "3", qos), 13),
            PingPacket.Request);
        await raw.ReceiveAsync<PingPacket>();
        Assert.Equal(3, holds.Count);
        holds["3"].Complete();
        holds["3"].Complete(ReasonCode.QuotaExceeded);
        await raw.SendAsync(PingPacket.Request);
        await raw.ReceiveAsync<PingPacket>();
        holds["1"].Complete(ReasonCode.NoMatchingSubscribers);
        foreach (var (id, reason) in new[] { (11, ReasonCode.NoMatchingSubscribers), (12, ReasonCode.Success), (13, ReasonCode.Success) })
        {
            var ack = await raw.ReceiveAckAsync((PacketType)ackType);
            Assert.Equal(((ushort)id, reason), (ack.PacketId, ack.Reason));
        }
    }

    [Fact]
    public async Task A_hold_may_be_completed_before_the_tap_returns_and_for_QoS_0_it_does_nothing()
    {
        var tap = new RecordingTap
        {
            OnMessage = (_, hold) =>
            {
                hold.Defer();
                hold.Complete();
                return TapVerdict.Taken;
            },
        };
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Tap = tap);
        var client = await loopback.ConnectAsync("c");
        Assert.Equal(ReasonCode.Success, await Within.Reason(client.PublishAsync(Messages.Message("t", "1", QoS.ExactlyOnce))));
        Assert.Equal(ReasonCode.Success, await Within.Reason(client.PublishAsync(Messages.Message("t", "2", QoS.AtMostOnce))));
    }

    [Fact]
    public async Task A_repeated_QoS_2_message_is_shown_once_even_across_connections()
    {
        var tap = new RecordingTap();
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Tap = tap);
        var connect = new ConnectPacket
        {
            Version = ProtocolVersion.V5, ClientId = "r", Properties = new PacketProperties { SessionExpirySeconds = 100 },
        };
        var message = Messages.Message("t", "once", QoS.ExactlyOnce);
        for (var attempt = 0; attempt < 3; attempt++)
        {
            using var raw = await loopback.OpenRawAsync();
            await raw.SendAsync(connect);
            await raw.ReceiveAsync<ConnAckPacket>();
            await raw.SendAsync(Messages.Publish(message, 5, duplicate: attempt > 0));
            await raw.ReceiveAckAsync(PacketType.PubRec);
        }

        Assert.Single(tap.Events, happened => happened == "publish r once");
    }

    [Fact]
    public async Task A_refused_hold_tells_a_version_5_client_why_and_closes_a_3_1_1_connection()
    {
        PublishHold? held = null;
        var tap = new RecordingTap
        {
            OnMessage = (_, hold) =>
            {
                hold.Defer();
                held = hold;
                return TapVerdict.Taken;
            },
        };
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Tap = tap);
        foreach (var version in Enum.GetValues<ProtocolVersion>())
        {
            using var raw = await loopback.ConnectRawAsync("r", version);
            await raw.SendAsync(Messages.Publish(Messages.Message("t", "x", QoS.AtLeastOnce), 1), PingPacket.Request);
            await raw.ReceiveAsync<PingPacket>();
            held!.Complete(ReasonCode.QuotaExceeded);
            if (version == ProtocolVersion.V5) Assert.Equal(ReasonCode.QuotaExceeded, (await raw.ReceiveAckAsync(PacketType.PubAck)).Reason);
            else Assert.Null(await raw.ReceiveAsync());
        }
    }

    [Theory]
    [InlineData(QoS.AtMostOnce, QoS.AtLeastOnce)]
    [InlineData(QoS.AtLeastOnce, QoS.AtLeastOnce)]
    [InlineData(QoS.ExactlyOnce, QoS.AtLeastOnce)]
    [InlineData(QoS.AtLeastOnce, QoS.ExactlyOnce)]
    public async Task A_result_published_before_its_input_is_acknowledged_is_seen_first(QoS result, QoS input)
    {
        var order = new ConcurrentQueue<string>();
        var tap = new RecordingTap
        {
            OnMessage = (message, _) =>
            {
                order.Enqueue($"result {message.Text()}");
                return TapVerdict.Route;
            },
        };
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Tap = tap);
        using var raw = await loopback.ConnectRawAsync("r");
        for (var i = 0; i < 50; i++)
        {
            var number = i;
            loopback.Broker.Deliver("r", Messages.Message("in", $"{i}", input), input, _ => order.Enqueue($"settled {number}"));
        }

        var ids = new List<ushort>();
        while (ids.Count < 50) ids.Add((await raw.ReceiveAsync<PublishPacket>()).PacketId);
        for (var i = 0; i < 50; i++)
        {
            var answer = Messages.Ack(input == QoS.AtLeastOnce ? PacketType.PubAck : PacketType.PubComp, ids[i]);
            await raw.SendAsync(Messages.Publish(Messages.Message("out", $"{i}", result), result == QoS.AtMostOnce ? (ushort)0 : (ushort)(i + 1)), answer);
            if (result != QoS.AtMostOnce) await raw.ReceiveAsync<AckPacket>();
        }

        await Within.Until(() => order.Count == 100, "all settled");
        Assert.Equal(Enumerable.Range(0, 50).SelectMany(i => new[] { $"result {i}", $"settled {i}" }), order);
    }

    [Fact]
    public async Task A_subscription_served_elsewhere_gets_only_what_is_delivered_to_it()
    {
        var tap = new RecordingTap { OnFilter = filter => filter == "in" ? SubscribeVerdict.Elsewhere : SubscribeVerdict.Normal };
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Tap = tap);
        loopback.Broker.Publish(Messages.Message("in", "retained", retain: true));
        var client = await loopback.ConnectAsync("c");
        Assert.Equal(ReasonCode.GrantedQoS1, await client.SubscribeAsync("in", QoS.AtLeastOnce));
        loopback.Broker.Publish(Messages.Message("in", "routed", QoS.AtLeastOnce));
        var outcome = new TaskCompletionSource<DeliveryOutcome>();
        loopback.Broker.Deliver("c", Messages.Message("in", "delivered"), QoS.AtLeastOnce, outcome.SetResult);
        Assert.Equal("delivered", (await Within.Reason(client.ReceiveAsync())).Message.Text());
        Assert.Equal(DeliveryOutcome.Acknowledged, await Within.Reason(outcome.Task));
        Assert.Equal([ReasonCode.Success], await client.UnsubscribeAsync(["in"]));
        Assert.Contains("unsubscribe c in", tap.Events);
    }

    [Fact]
    public async Task A_delivery_waits_for_an_absent_client_and_is_repeated_with_DUP()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        var connect = new ConnectPacket
        {
            Version = ProtocolVersion.V5, ClientId = "r", Properties = new PacketProperties { SessionExpirySeconds = 100 },
        };
        var outcome = new TaskCompletionSource<DeliveryOutcome>();
        using (var raw = await loopback.OpenRawAsync())
        {
            await raw.SendAsync(connect);
            await raw.ReceiveAsync<ConnAckPacket>();
            loopback.Broker.Deliver("r", Messages.Message("in", "x"), QoS.AtLeastOnce, outcome.SetResult);
            Assert.False((await raw.ReceiveAsync<PublishPacket>()).Duplicate);
        }

        using var again = await loopback.OpenRawAsync();
        await again.SendAsync(connect);
        await again.ReceiveAsync<ConnAckPacket>();
        var repeated = await again.ReceiveAsync<PublishPacket>();
        Assert.True(repeated.Duplicate);
        Assert.False(outcome.Task.IsCompleted);
        await again.SendAsync(Messages.Ack(PacketType.PubAck, repeated.PacketId, ReasonCode.ImplementationSpecificError));
        Assert.Equal(DeliveryOutcome.Refused, await Within.Reason(outcome.Task));
    }

    [Fact]
    public async Task Deliveries_to_nobody_and_to_a_forgotten_session_say_so()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        var nobody = new TaskCompletionSource<DeliveryOutcome>();
        loopback.Broker.Deliver("nobody", Messages.Message("t"), QoS.AtLeastOnce, nobody.SetResult);
        Assert.Equal(DeliveryOutcome.NoSession, await Within.Reason(nobody.Task));

        var client = await loopback.ConnectAsync("c", options => options.SessionExpirySeconds = 100);
        await client.DisconnectAsync();
        await Within.Until(() => !loopback.Broker.Clients[0].Connected, "disconnected");
        var ended = new TaskCompletionSource<DeliveryOutcome>();
        loopback.Broker.Deliver("c", Messages.Message("t"), QoS.AtLeastOnce, ended.SetResult);
        await loopback.ConnectAsync("c");
        Assert.Equal(DeliveryOutcome.SessionEnded, await Within.Reason(ended.Task));

        var stopped = new TaskCompletionSource<DeliveryOutcome>();
        using var raw = await loopback.ConnectRawAsync("silent");
        loopback.Broker.Deliver("silent", Messages.Message("t"), QoS.AtLeastOnce, stopped.SetResult);
        await loopback.Broker.StopAsync();
        Assert.Equal(DeliveryOutcome.SessionEnded, await Within.Reason(stopped.Task));
    }

    [Fact]
    public async Task The_tap_hears_of_connections_and_sessions_in_order()
    {
        var tap = new RecordingTap();
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Tap = tap);
        var first = await loopback.ConnectAsync("c", options => options.SessionExpirySeconds = 100);
        await first.SubscribeAsync("a");
        await loopback.ConnectAsync("c", options => options.CleanStart = false);
        await Within.Until(() => tap.Events.Count >= 4, "taken over");
        loopback.Broker.Disconnect("c");
        await Within.Until(() => tap.Events.Count >= 6, "ended");
        Assert.Equal(
            [
                "connected c new", "subscribe c a", "disconnected c SessionTakenOver", "connected c resumed",
                "disconnected c AdministrativeAction", "ended c",
            ],
            tap.Events);
    }

    [Fact]
    public async Task A_tap_may_publish_deliver_and_ask_from_its_callbacks()
    {
        MqttBroker? broker = null;
        var settled = new TaskCompletionSource<DeliveryOutcome>();
        var tap = new RecordingTap
        {
            OnMessage = (message, _) =>
            {
                broker!.Publish(Messages.Message("echo", message.Text()));
                broker.Deliver("c", Messages.Message("direct", message.Text()), QoS.AtLeastOnce, outcome =>
                {
                    Assert.NotEmpty(broker.Clients);
                    settled.SetResult(outcome);
                });
                return TapVerdict.Taken;
            },
        };
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Tap = tap);
        broker = loopback.Broker;
        var client = await loopback.ConnectAsync("c");
        await client.SubscribeAsync("echo");
        await client.PublishAsync(Messages.Message("t", "x", QoS.AtLeastOnce));
        Assert.Equal("echo", (await Within.Reason(client.ReceiveAsync())).Message.Topic);
        Assert.Equal("direct", (await Within.Reason(client.ReceiveAsync())).Message.Topic);
        Assert.Equal(DeliveryOutcome.Acknowledged, await Within.Reason(settled.Task));
    }

    private sealed class RecordingTap : IBrokerTap
    {
        public ConcurrentQueue<string> Events { get; } = [];

        public Func<MqttMessage, PublishHold, TapVerdict> OnMessage { get; init; } = (_, _) => TapVerdict.Route;

        public Func<string, SubscribeVerdict> OnFilter { get; init; } = _ => SubscribeVerdict.Normal;

        public TapVerdict OnPublish(ClientInfo publisher, MqttMessage message, PublishHold hold)
        {
            Events.Enqueue($"publish {publisher.ClientId} {message.Text()}");
            return OnMessage(message, hold);
        }

        public SubscribeVerdict OnSubscribe(ClientInfo client, string filter, SubscriptionOptions options)
        {
            Events.Enqueue($"subscribe {client.ClientId} {filter}");
            return OnFilter(filter);
        }

        public void OnUnsubscribe(ClientInfo client, string filter) => Events.Enqueue($"unsubscribe {client.ClientId} {filter}");

        public void OnConnected(ClientInfo client, bool sessionPresent) =>
            Events.Enqueue($"connected {client.ClientId} {(sessionPresent ? "resumed" : "new")}");

        public void OnDisconnected(ClientInfo client, ReasonCode reason) => Events.Enqueue($"disconnected {client.ClientId} {reason}");

        public void OnSessionEnded(ClientInfo client) => Events.Enqueue($"ended {client.ClientId}");
    }
}
