using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Conformance;

/// <summary>Maximum packet size, both ways (MQTT 5 sections 3.1.2.11.4 and 3.2.2.3.6).</summary>
public sealed class PacketSizeTests
{
    [Theory]
    [InlineData(QoS.AtMostOnce)]
    [InlineData(QoS.AtLeastOnce)]
    [InlineData(QoS.ExactlyOnce)]
    public async Task A_message_the_client_cannot_take_is_as_good_as_delivered_and_the_next_one_comes(QoS qos)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.ConnectRawAsync(Messages.Connect("r", properties: new() { MaximumPacketBytes = 64, ReceiveMaximum = 1 }));
        await raw.SubscribeAsync("a", qos);
        // Header 2, topic 3, packet id 2 or none, properties 1.
        var room = 64 - 2 - 3 - 1 - (qos == QoS.AtMostOnce ? 0 : 2);
        loopback.Broker.Publish(Messages.Message("a", new string('x', room + 1), qos));
        loopback.Broker.Publish(Messages.Message("a", new string('y', room), qos));
        Assert.Equal(new string('y', room), (await raw.ReceiveAsync<PublishPacket>()).Message.Text());
        await raw.NothingCameAsync();
        Assert.Equal(1, loopback.Broker.Statistics.MessagesDropped);
    }

    [Fact]
    public async Task Explanations_are_left_out_where_they_would_make_a_packet_too_large()
    {
        await using var loopback = await LoopbackBroker.StartAsync(options =>
        {
            options.Limits.TopicLevelsMax = 2;
            options.Access = new Talkative();
        });
        foreach (var maximum in new uint[] { 40, 1000 })
        {
            var explained = maximum == 1000;
            using (var refused = await loopback.OpenRawAsync())
            {
                await refused.SendAsync(Messages.Connect("refused", properties: new() { MaximumPacketBytes = maximum }));
                Assert.Equal(explained, (await refused.ReceiveAsync<ConnAckPacket>()).Properties.ReasonString is not null);
            }

            using var raw = await loopback.ConnectRawAsync(Messages.Connect("r", properties: new() { MaximumPacketBytes = maximum }));
            await raw.SendAsync(new SubscribePacket { PacketId = 1, Entries = [new("a/b/c", default)] });
            var answer = await raw.ReceiveAsync<SubAckPacket>();
            Assert.Equal((ReasonCode.TopicFilterInvalid, explained), (answer.Reasons[0], answer.Properties.ReasonString is not null));
            loopback.Broker.Disconnect("r", ReasonCode.QuotaExceeded, new string('x', 100));
            var end = await raw.ReceiveAsync<ReasonPacket>();
            Assert.Equal((ReasonCode.QuotaExceeded, explained), (end.Reason, end.Properties.ReasonString is not null));
        }
    }

    [Fact]
    public async Task Acknowledgements_carry_a_reason_and_nothing_else()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.ConnectRawAsync("r");
        await raw.SendAsync(
            Messages.Publish(Messages.Message("$SYS/x", "x", QoS.AtLeastOnce), 1),
            Messages.Publish(Messages.Message("$SYS/x", "x", QoS.ExactlyOnce), 2),
            Messages.Ack(PacketType.PubRel, 3),
            Messages.Ack(PacketType.PubRec, 4),
            new UnsubscribePacket { PacketId = 5, Filters = ["a"] });
        foreach (var answer in new[] { "4003000187", "5003000287", "7003000392", "6203000492", "B00400050011" })
            Assert.Equal(answer, await raw.ReceiveHexAsync());
    }

    [Fact]
    public async Task A_client_that_cannot_take_the_CONNACK_is_sent_nothing()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.OpenRawAsync();
        await raw.SendAsync(Messages.Connect("r", properties: new() { MaximumPacketBytes = 5 }));
        Assert.Null(await raw.ReceiveAsync());
    }

    [Theory]
    [InlineData(ProtocolVersion.V311)]
    [InlineData(ProtocolVersion.V5)]
    public async Task A_packet_larger_than_the_broker_takes_ends_the_connection_before_it_is_read(ProtocolVersion version)
    {
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Limits.PacketBytesMax = 1000);
        using var raw = await loopback.ConnectRawAsync("r", version);
        if (version == ProtocolVersion.V5) Assert.Equal(1000u, raw.Accepted.Properties.MaximumPacketBytes);
        await raw.PublishAsync(Messages.Message("a", new string('x', 1000 - 3 - 3 - 2 - 1)));
        await raw.SendAsync("30 E607 0001 61");
        await raw.EndsAsync(ReasonCode.PacketTooLarge);
    }

    [Fact]
    public async Task The_largest_will_that_can_be_said_is_taken()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var watcher = await loopback.ConnectRawAsync("watcher");
        await watcher.SubscribeAsync("will", QoS.AtMostOnce);
        using (await loopback.ConnectRawAsync(Messages.Connect("r", will: new LastWill(Messages.Message("will", new string('x', 65535)))))) { }
        Assert.Equal(65535, (await watcher.ReceiveAsync<PublishPacket>()).Message.Payload.Length);
    }

    /// <summary>Refuses one client at length.</summary>
    private sealed class Talkative : IBrokerAccess
    {
        public ValueTask<ConnectVerdict> AuthenticateAsync(ConnectAttempt attempt, CancellationToken cancellation) => ValueTask.FromResult(
            attempt.ClientId == "refused"
                ? ConnectVerdict.Refuse(ReasonCode.Banned, new string('x', 100))
                : ConnectVerdict.Accept(Principal.Anonymous));

        public bool MayPublish(Principal principal, string topic) => true;

        public bool MaySubscribe(Principal principal, string filter) => true;
    }
}
