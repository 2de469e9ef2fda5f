using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Conformance;

/// <summary>Shared subscriptions (MQTT 5 section 4.8.2).</summary>
public sealed class SharedSubscriptionTests
{
    [Fact]
    public async Task Each_group_gets_every_message_once_and_spreads_them_evenly()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        var members = new List<RawClient>();
        for (var i = 0; i < 3; i++)
        {
            members.Add(await loopback.ConnectRawAsync($"member{i}", i == 0 ? ProtocolVersion.V311 : ProtocolVersion.V5));
            await members[i].SubscribeAsync("$share/g/a/+", QoS.AtMostOnce);
        }

        using var alone = await loopback.ConnectRawAsync("alone");
        await alone.SubscribeAsync("$share/h/a/+", QoS.AtMostOnce);
        await alone.SubscribeAsync("$share/g/a/#", QoS.AtMostOnce);
        for (var i = 0; i < 9; i++) loopback.Broker.Publish(Messages.Message("a/b", $"{i}"));
        var got = new List<string>();
        foreach (var member in members)
        {
            for (var i = 0; i < 3; i++) got.Add((await member.ReceiveAsync<PublishPacket>()).Message.Text());
            await member.NothingCameAsync();
        }

        Assert.Equal(9, got.Distinct().Count());
        // The same share name with another filter is another subscription.
        for (var i = 0; i < 18; i++) Assert.Equal($"{i / 2}", (await alone.ReceiveAsync<PublishPacket>()).Message.Text());
        await alone.NothingCameAsync();
    }

    [Fact]
    public async Task A_client_in_a_group_with_a_subscription_of_its_own_gets_a_copy_for_each()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.ConnectRawAsync("r");
        await raw.SubscribeAsync("$share/g/a", new SubscriptionOptions(QoS.AtLeastOnce), 1);
        await raw.SubscribeAsync("$share/h/+", new SubscriptionOptions(QoS.AtMostOnce), 2);
        await raw.SubscribeAsync("a", new SubscriptionOptions(QoS.ExactlyOnce), 3);
        await raw.SubscribeAsync("#", new SubscriptionOptions(QoS.AtLeastOnce), 4);
        loopback.Broker.Publish(Messages.Message("a", "x", QoS.ExactlyOnce));
        var copies = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            var copy = await raw.ReceiveAsync<PublishPacket>();
            copies.Add($"{string.Join(' ', copy.Properties.SubscriptionIds!.Order())}: {(int)copy.Message.QoS}");
        }

        Assert.Equal(["1: 1", "2: 0", "3 4: 2"], copies.Order(StringComparer.Ordinal));
        await raw.NothingCameAsync();
    }

    [Fact]
    public async Task Retained_messages_are_not_for_groups()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        loopback.Broker.Publish(Messages.Message("a", "x", retain: true));
        using var raw = await loopback.ConnectRawAsync("r");
        await raw.SubscribeAsync("$share/g/a", QoS.AtLeastOnce);
        await raw.SubscribeAsync("$share/g/a", QoS.AtLeastOnce);
        await raw.NothingCameAsync();
        loopback.Broker.Publish(Messages.Message("a", "live", retain: true));
        Assert.False((await raw.ReceiveAsync<PublishPacket>()).Message.Retain);
    }

    [Fact]
    public async Task A_QoS_2_delivery_is_finished_with_the_member_it_began_with_and_with_nobody_when_that_is_gone()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var chosen = await loopback.ConnectRawAsync(Messages.Keep("chosen"));
        await chosen.SubscribeAsync("$share/g/a", QoS.ExactlyOnce);
        loopback.Broker.Publish(Messages.Message("a", "begun", QoS.ExactlyOnce));
        var begun = await chosen.ReceiveAsync<PublishPacket>();
        using var other = await loopback.ConnectRawAsync("other");
        await other.SubscribeAsync("$share/g/a", QoS.ExactlyOnce);
        chosen.Dispose();
        await loopback.AwayAsync("chosen");
        await other.NothingCameAsync();
        using (var back = await loopback.ConnectRawAsync(Messages.Keep("chosen")))
        {
            var again = await back.ReceiveAsync<PublishPacket>();
            Assert.Equal((begun.PacketId, true), (again.PacketId, again.Duplicate));
        }

        await loopback.AwayAsync("chosen");
        Assert.True(loopback.Broker.EndSession("chosen"));
        await other.NothingCameAsync();
    }

    [Fact]
    public async Task What_a_member_had_not_finished_goes_to_another_when_its_session_ends()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var leaving = await loopback.ConnectRawAsync(Messages.Connect("leaving", properties: new() { ReceiveMaximum = 2 }));
        await leaving.SubscribeAsync("$share/g/a", QoS.ExactlyOnce);
        foreach (var (text, qos) in new[] { ("1", QoS.AtLeastOnce), ("begun", QoS.ExactlyOnce), ("2", QoS.ExactlyOnce), ("3", QoS.AtLeastOnce) })
            loopback.Broker.Publish(Messages.Message("a", text, qos));
        for (var i = 0; i < 2; i++) await leaving.ReceiveAsync<PublishPacket>();
        using var other = await loopback.ConnectRawAsync("other");
        await other.SubscribeAsync("$share/g/a", QoS.AtLeastOnce);
        leaving.Dispose();
        for (var i = 1; i <= 3; i++)
        {
            var passed = await other.ReceiveAsync<PublishPacket>();
            Assert.Equal(($"{i}", QoS.AtLeastOnce, false), (passed.Message.Text(), passed.Message.QoS, passed.Duplicate));
        }

        await other.NothingCameAsync();
    }

    [Theory]
    [InlineData(QoS.AtLeastOnce, PacketType.PubAck)]
    [InlineData(QoS.ExactlyOnce, PacketType.PubRec)]
    public async Task A_message_one_member_refused_is_not_offered_to_another(QoS qos, object ack)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var one = await loopback.ConnectRawAsync("one");
        await one.SubscribeAsync("$share/g/a", qos);
        loopback.Broker.Publish(Messages.Message("a", "x", qos));
        var id = (await one.ReceiveAsync<PublishPacket>()).PacketId;
        using var two = await loopback.ConnectRawAsync("two");
        await two.SubscribeAsync("$share/g/a", qos);
        await one.SendAsync(Messages.Ack((PacketType)ack, id, ReasonCode.UnspecifiedError));
        await one.NothingCameAsync();
        await two.NothingCameAsync();
    }

    [Fact]
    public async Task A_member_that_leaves_gets_no_more_and_the_others_get_all()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var one = await loopback.ConnectRawAsync("one");
        using var two = await loopback.ConnectRawAsync("two");
        await one.SubscribeAsync("$share/g/a", QoS.AtMostOnce);
        await two.SubscribeAsync("$share/g/a", QoS.AtMostOnce);
        await one.SendAsync(new UnsubscribePacket { PacketId = 1, Filters = ["a", "$share/h/a", "$share/g/a"] });
        Assert.Equal(
            [ReasonCode.NoSubscriptionExisted, ReasonCode.NoSubscriptionExisted, ReasonCode.Success],
            (await one.ReceiveAsync<SubAckPacket>()).Reasons);
        for (var i = 0; i < 4; i++) loopback.Broker.Publish(Messages.Message("a", $"{i}"));
        for (var i = 0; i < 4; i++) Assert.Equal($"{i}", (await two.ReceiveAsync<PublishPacket>()).Message.Text());
        await one.NothingCameAsync();
    }
}
