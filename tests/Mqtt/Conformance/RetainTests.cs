using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Conformance;

/// <summary>The RETAIN flag of a PUBLISH, both ways (MQTT 5 section 3.3.1.3).</summary>
public sealed class RetainTests
{
    [Theory]
    [InlineData(ProtocolVersion.V311)]
    [InlineData(ProtocolVersion.V5)]
    public async Task The_last_retained_message_with_a_payload_is_kept_and_nothing_else_touches_it(ProtocolVersion version)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.ConnectRawAsync("r", version);
        (string Payload, bool Retain, string? Kept)[] steps =
        [
            ("", true, null), ("plain", false, null), ("one", true, "one"), ("plain", false, "one"), ("", false, "one"), ("two", true, "two"),
            ("", true, null),
        ];
        foreach (var (payload, retain, kept) in steps)
        {
            await raw.PublishAsync(Messages.Message("a", payload, retain: retain));
            await raw.SubscribeAsync("a", QoS.AtMostOnce);
            if (kept is not null)
            {
                var greeting = await raw.ReceiveAsync<PublishPacket>();
                Assert.Equal((kept, true), (greeting.Message.Text(), greeting.Message.Retain));
            }

            await raw.SendAsync(new UnsubscribePacket { PacketId = 1, Filters = ["a"] });
            await raw.ReceiveAsync<SubAckPacket>();
        }
    }

    [Fact]
    public async Task A_message_without_payload_that_clears_is_passed_on_like_any_other()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.ConnectRawAsync("r");
        await raw.SubscribeAsync("a", new SubscriptionOptions(QoS.AtMostOnce, RetainAsPublished: true));
        loopback.Broker.Publish(Messages.Message("a", "", retain: true));
        var cleared = await raw.ReceiveAsync<PublishPacket>();
        Assert.Equal(("", true), (cleared.Message.Text(), cleared.Message.Retain));
    }

    [Theory]
    [InlineData(QoS.AtMostOnce)]
    [InlineData(QoS.AtLeastOnce)]
    [InlineData(QoS.ExactlyOnce)]
    public async Task A_retained_message_of_any_QoS_replaces_the_one_before_and_comes_with_the_lower_QoS(QoS qos)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.ConnectRawAsync("r", ProtocolVersion.V311);
        loopback.Broker.Publish(Messages.Message("a", "old", QoS.AtLeastOnce, retain: true));
        loopback.Broker.Publish(Messages.Message("a", "new", qos, retain: true));
        await raw.SubscribeAsync("a", QoS.AtLeastOnce);
        var greeting = await raw.ReceiveAsync<PublishPacket>();
        Assert.Equal(("new", qos == QoS.AtMostOnce ? qos : QoS.AtLeastOnce, true, false),
            (greeting.Message.Text(), greeting.Message.QoS, greeting.Message.Retain, greeting.Duplicate));
    }

    [Theory]
    [InlineData(RetainHandling.SendAlways, true, true)]
    [InlineData(RetainHandling.SendIfNewSubscription, true, false)]
    [InlineData(RetainHandling.DoNotSend, false, false)]
    public async Task Retain_handling_decides_whether_a_new_and_a_repeated_subscription_are_greeted(RetainHandling handling, bool first, bool second)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        loopback.Broker.Publish(Messages.Message("a/1", "x", retain: true));
        loopback.Broker.Publish(Messages.Message("a/2", "x", retain: true));
        using var raw = await loopback.ConnectRawAsync("r");
        foreach (var greeted in new[] { first, second })
        {
            await raw.SubscribeAsync("a/+", new SubscriptionOptions(QoS.AtMostOnce, RetainHandling: handling));
            for (var i = 0; i < 2 && greeted; i++) await raw.ReceiveAsync<PublishPacket>();
            await raw.NothingCameAsync();
        }

        await raw.SendAsync(new UnsubscribePacket { PacketId = 1, Filters = ["a/+"] });
        await raw.ReceiveAsync<SubAckPacket>();
        await raw.SubscribeAsync("a/+", new SubscriptionOptions(QoS.AtMostOnce, RetainHandling: handling));
        for (var i = 0; i < 2 && first; i++) await raw.ReceiveAsync<PublishPacket>();
        await raw.NothingCameAsync();
    }

    [Theory]
    [InlineData(ProtocolVersion.V311, false, false, false)]
    [InlineData(ProtocolVersion.V311, true, false, false)]
    [InlineData(ProtocolVersion.V5, false, false, false)]
    [InlineData(ProtocolVersion.V5, true, false, false)]
    [InlineData(ProtocolVersion.V5, false, true, false)]
    [InlineData(ProtocolVersion.V5, true, true, true)]
    public async Task A_message_that_is_passed_on_keeps_its_flag_only_where_that_was_asked_for(
        ProtocolVersion version, bool published, bool asPublished, bool flag)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.ConnectRawAsync("r", version);
        await raw.SubscribeAsync("a", new SubscriptionOptions(QoS.AtLeastOnce, RetainAsPublished: asPublished));
        foreach (var qos in new[] { QoS.AtMostOnce, QoS.AtLeastOnce })
        {
            loopback.Broker.Publish(Messages.Message("a", "x", qos, published));
            Assert.Equal(flag, (await raw.ReceiveAsync<PublishPacket>()).Message.Retain);
        }
    }
}
