using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Broker;

public sealed class RetainedTests
{
    [Fact]
    public async Task The_last_retained_message_of_a_topic_greets_new_subscribers_until_it_is_cleared()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        var client = await loopback.ConnectAsync("c");
        await client.PublishAsync(Messages.Message("a/1", "old", QoS.AtLeastOnce, retain: true));
        await client.PublishAsync(Messages.Message("a/1", "new", QoS.AtLeastOnce, retain: true));
        await client.SubscribeAsync("a/+");
        var received = (await Within.Reason(client.ReceiveAsync())).Message;
        Assert.Equal(("new", true), (received.Text(), received.Retain));

        await client.PublishAsync(Messages.Message("a/1", "", QoS.AtLeastOnce, retain: true));
        Assert.Equal("", (await Within.Reason(client.ReceiveAsync())).Message.Text());
        Assert.Equal(0, loopback.Broker.Statistics.RetainedMessages);
    }

    [Fact]
    public async Task The_retain_flag_is_cleared_for_existing_subscribers_unless_they_ask_to_keep_it()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        var plain = await loopback.ConnectAsync("plain");
        var bridge = await loopback.ConnectAsync("bridge");
        await plain.SubscribeAsync("a");
        await bridge.SubscribeAsync([new("a", new SubscriptionOptions(QoS.AtMostOnce, RetainAsPublished: true))]);
        loopback.Broker.Publish(Messages.Message("a", "x", retain: true));
        Assert.False((await Within.Reason(plain.ReceiveAsync())).Message.Retain);
        Assert.True((await Within.Reason(bridge.ReceiveAsync())).Message.Retain);
    }

    [Fact]
    public async Task Retain_handling_decides_who_is_greeted()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        loopback.Broker.Publish(Messages.Message("a", "x", retain: true));
        using var raw = await loopback.ConnectRawAsync("r");
        await raw.SubscribeAsync("a", new SubscriptionOptions(QoS.AtMostOnce, RetainHandling: RetainHandling.DoNotSend));
        await raw.SubscribeAsync("a", new SubscriptionOptions(QoS.AtMostOnce, RetainHandling: RetainHandling.SendIfNewSubscription));
        await raw.SubscribeAsync("+", new SubscriptionOptions(QoS.AtMostOnce, RetainHandling: RetainHandling.SendIfNewSubscription));
        Assert.True((await raw.ReceiveAsync<PublishPacket>()).Message.Retain);
        await raw.SubscribeAsync("a", QoS.AtMostOnce);
        Assert.True((await raw.ReceiveAsync<PublishPacket>()).Message.Retain);
        await raw.SubscribeAsync("$share/g/a", QoS.AtMostOnce);
        await raw.SendAsync(PingPacket.Request);
        await raw.ReceiveAsync<PingPacket>();
    }

    [Fact]
    public async Task Retained_messages_expire_and_carry_what_is_left()
    {
        var time = new ManualTime();
        await using var loopback = await LoopbackBroker.StartAsync(options => options.TimeProvider = time);
        loopback.Broker.Publish(Messages.Message("a", "x", retain: true) with { MessageExpirySeconds = 10 });
        var client = await loopback.ConnectAsync("c");
        time.AdvanceSeconds(4);
        await client.SubscribeAsync("a");
        Assert.Equal(6u, (await Within.Reason(client.ReceiveAsync())).Message.MessageExpirySeconds);
        time.AdvanceSeconds(60);
        Assert.Equal(0, loopback.Broker.Statistics.RetainedMessages);
    }

    [Fact]
    public async Task Many_retained_messages_reach_a_subscriber_whose_connection_is_slower_than_they_are()
    {
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Limits.OutboundBytesMax = 2000);
        for (var i = 0; i < 1000; i++) loopback.Broker.Publish(Messages.Message($"r/{i}", new string('x', 100), retain: true));
        var client = await loopback.ConnectAsync("c");
        await client.SubscribeAsync("r/#");
        var topics = new HashSet<string>();
        while (topics.Count < 1000) topics.Add((await Within.Reason(client.ReceiveAsync())).Message.Topic);
    }
}
