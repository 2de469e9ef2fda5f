using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Broker;

public sealed class DeliveryTests
{
    public static TheoryData<ProtocolVersion, QoS, QoS> Combinations
    {
        get
        {
            var data = new TheoryData<ProtocolVersion, QoS, QoS>();
            foreach (var version in Enum.GetValues<ProtocolVersion>())
            {
                foreach (var published in Enum.GetValues<QoS>())
                {
                    foreach (var granted in Enum.GetValues<QoS>()) data.Add(version, published, granted);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Combinations))]
    public async Task A_message_arrives_with_the_lower_of_both_QoS(ProtocolVersion version, QoS published, QoS granted)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        var subscriber = await loopback.ConnectAsync("s", options => options.Version = version);
        var publisher = await loopback.ConnectAsync("p", options => options.Version = version);
        Assert.Equal((ReasonCode)granted, await subscriber.SubscribeAsync("a/+", granted));
        for (var i = 0; i < 20; i++) Assert.Equal(ReasonCode.Success, await publisher.PublishAsync(Messages.Message("a/b", $"{i}", published)));
        for (var i = 0; i < 20; i++)
        {
            var received = await Within.Reason(subscriber.ReceiveAsync());
            Assert.Equal(($"{i}", published < granted ? published : granted), (received.Message.Text(), received.Message.QoS));
        }

        await Within.Until(() => loopback.Broker.Clients.All(client => client.InFlight == 0), "everything acknowledged");
    }

    [Fact]
    public async Task All_properties_reach_the_subscriber_unchanged()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        var subscriber = await loopback.ConnectAsync("s");
        await subscriber.SubscribeAsync("a");
        var sent = new MqttMessage
        {
            Topic = "a",
            QoS = QoS.AtLeastOnce,
            PayloadFormat = 1,
            ContentType = "json",
            ResponseTopic = "r",
            CorrelationData = new byte[] { 1 },
            MessageExpirySeconds = 100,
            UserProperties = [new("b", "1"), new("a", "2"), new("b", "1")],
        };
        await subscriber.PublishAsync(sent);
        var read = (await Within.Reason(subscriber.ReceiveAsync())).Message;
        Assert.Equal((sent.PayloadFormat, sent.ContentType, sent.ResponseTopic), (read.PayloadFormat, read.ContentType, read.ResponseTopic));
        Assert.Equal(sent.UserProperties, read.UserProperties);
        Assert.Equal(sent.CorrelationData.Value.ToArray(), read.CorrelationData!.Value.ToArray());
        Assert.InRange(read.MessageExpirySeconds!.Value, 60u, 100u);
    }

    [Fact]
    public async Task Overlapping_subscriptions_give_one_copy_with_the_highest_QoS_and_all_identifiers()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.ConnectRawAsync("s");
        await raw.SubscribeAsync("a/#", new SubscriptionOptions(QoS.AtMostOnce), identifier: 5);
        await raw.SubscribeAsync("a/b", new SubscriptionOptions(QoS.AtLeastOnce), identifier: 300);
        loopback.Broker.Publish(Messages.Message("a/b", "x", QoS.ExactlyOnce));
        var publish = await raw.ReceiveAsync<PublishPacket>();
        Assert.Equal(QoS.AtLeastOnce, publish.Message.QoS);
        Assert.Equal([5u, 300u], publish.Properties.SubscriptionIds!.Order());
        await raw.SendAsync(PingPacket.Request);
        Assert.Equal(PacketType.PingResp, (await raw.ReceiveAsync())!.Type);
    }

    [Fact]
    public async Task No_local_keeps_a_client_from_hearing_itself()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        var client = await loopback.ConnectAsync("c");
        await client.SubscribeAsync([new("a", new SubscriptionOptions(QoS.AtMostOnce, NoLocal: true))]);
        await client.PublishAsync(Messages.Message("a", "own", QoS.AtLeastOnce));
        loopback.Broker.Publish(Messages.Message("a", "other"));
        Assert.Equal("other", (await Within.Reason(client.ReceiveAsync())).Message.Text());
    }

    [Fact]
    public async Task Shared_subscriptions_take_turns()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        var one = await loopback.ConnectAsync("one");
        var two = await loopback.ConnectAsync("two");
        var whole = await loopback.ConnectAsync("whole");
        await one.SubscribeAsync("$share/g/a/#", QoS.AtLeastOnce);
        await two.SubscribeAsync("$share/g/a/#", QoS.AtLeastOnce);
        await whole.SubscribeAsync("a/#", QoS.AtLeastOnce);
        for (var i = 0; i < 10; i++) loopback.Broker.Publish(Messages.Message("a/x", $"{i}", QoS.AtLeastOnce));
        for (var i = 0; i < 5; i++) await Within.Reason(one.ReceiveAsync());
        for (var i = 0; i < 5; i++) await Within.Reason(two.ReceiveAsync());
        for (var i = 0; i < 10; i++) Assert.Equal($"{i}", (await Within.Reason(whole.ReceiveAsync())).Message.Text());

        await two.DisconnectAsync();
        loopback.Broker.Publish(Messages.Message("a/x", "last", QoS.AtLeastOnce));
        Assert.Equal("last", (await Within.Reason(one.ReceiveAsync())).Message.Text());
    }

    [Fact]
    public async Task Unsubscribing_ends_delivery_and_says_what_was_not_there()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        var client = await loopback.ConnectAsync("c");
        await client.SubscribeAsync("a");
        Assert.Equal([ReasonCode.Success, ReasonCode.NoSubscriptionExisted], await client.UnsubscribeAsync(["a", "b"]));
        Assert.Equal(ReasonCode.NoMatchingSubscribers, await client.PublishAsync(Messages.Message("a", "x", QoS.AtLeastOnce)));
        Assert.Equal(0, loopback.Broker.Statistics.Subscriptions);
    }

    [Fact]
    public async Task Topic_aliases_work_both_ways()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.OpenRawAsync();
        await raw.SendAsync(new ConnectPacket
        {
            Version = ProtocolVersion.V5, ClientId = "r", CleanStart = true, Properties = new PacketProperties { TopicAliasMaximum = 3 },
        });
        await raw.ReceiveAsync<ConnAckPacket>();
        await raw.SubscribeAsync("a/b", QoS.AtMostOnce);
        await raw.SendAsync(
            new PublishPacket { Message = Messages.Message("a/b", "1"), Properties = new PacketProperties { TopicAlias = 2 } },
            new PublishPacket { Message = Messages.Message("", "2"), Properties = new PacketProperties { TopicAlias = 2 } });
        var first = await raw.ReceiveAsync<PublishPacket>();
        var second = await raw.ReceiveAsync<PublishPacket>();
        Assert.Equal(("a/b", (ushort?)1, "1"), (first.Message.Topic, first.TopicAlias, first.Message.Text()));
        Assert.Equal(("", (ushort?)1, "2"), (second.Message.Topic, second.TopicAlias, second.Message.Text()));
    }

    [Fact]
    public async Task In_process_publishers_and_subscribers_take_part()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        var heard = new TaskCompletionSource<MqttMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
        var client = await loopback.ConnectAsync("c");
        using (loopback.Broker.Subscribe("in/#", message => heard.TrySetResult(message)))
        {
            await client.PublishAsync(Messages.Message("in/x", "hello", QoS.AtLeastOnce));
            Assert.Equal("hello", (await Within.Reason(heard.Task)).Text());
        }

        Assert.Equal(ReasonCode.NoMatchingSubscribers, await client.PublishAsync(Messages.Message("in/x", "late", QoS.AtLeastOnce)));
    }

    [Fact]
    public async Task A_message_of_the_largest_size_passes_and_a_larger_one_ends_the_connection()
    {
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Limits.PacketBytesMax = 300_000);
        var client = await loopback.ConnectAsync("c", options => options.Reconnect = false);
        await client.SubscribeAsync("a");
        var large = new string('x', 299_000);
        await client.PublishAsync(Messages.Message("a", large, QoS.AtLeastOnce));
        Assert.Equal(large, (await Within.Reason(client.ReceiveAsync())).Message.Text());
        // The client knows the limit, so it takes a raw one to break it.
        using var raw = await loopback.ConnectRawAsync("r");
        await raw.SendAsync(Bytes.Of("30 E0 A7 12"));
        Assert.Equal(ReasonCode.PacketTooLarge, (await raw.ReceiveAsync<ReasonPacket>()).Reason);
        Assert.Null(await raw.ReceiveAsync());
    }
}
