using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Conformance;

/// <summary>SUBSCRIBE, UNSUBSCRIBE and their answers (MQTT 5 sections 3.8 to 3.11).</summary>
public sealed class SubscribeTests
{
    [Theory]
    [InlineData("wrong flags", "80 07 0001 00 0001 61 00", ReasonCode.MalformedPacket)]
    [InlineData("no filter", "82 03 0001 00", ReasonCode.ProtocolError)]
    [InlineData("a filter without options", "82 06 0001 00 0001 61", ReasonCode.MalformedPacket)]
    [InlineData("empty filter", "82 06 0001 00 0000 00", ReasonCode.TopicFilterInvalid)]
    [InlineData("# that is not the last", "82 09 0001 00 0003 232F61 00", ReasonCode.TopicFilterInvalid)]
    [InlineData("# beside something", "82 08 0001 00 0002 6123 00", ReasonCode.TopicFilterInvalid)]
    [InlineData("+ beside something", "82 08 0001 00 0002 2B61 00", ReasonCode.TopicFilterInvalid)]
    [InlineData("packet id 0", "82 07 0000 00 0001 61 00", ReasonCode.ProtocolError)]
    [InlineData("QoS 3", "82 07 0001 00 0001 61 03", ReasonCode.ProtocolError)]
    [InlineData("retain handling 3", "82 07 0001 00 0001 61 30", ReasonCode.ProtocolError)]
    [InlineData("reserved bit 6", "82 07 0001 00 0001 61 40", ReasonCode.MalformedPacket)]
    [InlineData("reserved bit 7", "82 07 0001 00 0001 61 80", ReasonCode.MalformedPacket)]
    [InlineData("identifier 0", "82 09 0001 02 0B00 0001 61 00", ReasonCode.ProtocolError)]
    [InlineData("two identifiers", "82 0B 0001 04 0B01 0B02 0001 61 00", ReasonCode.ProtocolError)]
    [InlineData("share without no group", "82 0F 0001 00 0009 2473686172652F2F61 00", ReasonCode.TopicFilterInvalid)]
    [InlineData("share without filter", "82 0E 0001 00 0008 2473686172652F67 00", ReasonCode.TopicFilterInvalid)]
    [InlineData("share with an empty filter", "82 0F 0001 00 0009 2473686172652F672F 00", ReasonCode.TopicFilterInvalid)]
    [InlineData("share with + in its group", "82 10 0001 00 000A 2473686172652F2B2F61 00", ReasonCode.TopicFilterInvalid)]
    [InlineData("share with # in its group", "82 10 0001 00 000A 2473686172652F232F61 00", ReasonCode.TopicFilterInvalid)]
    [InlineData("share that wants no local", "82 10 0001 00 000A 2473686172652F672F61 04", ReasonCode.ProtocolError)]
    [InlineData("unsubscribe, wrong flags", "A0 06 0001 00 0001 61", ReasonCode.MalformedPacket)]
    [InlineData("unsubscribe without filter", "A2 03 0001 00", ReasonCode.ProtocolError)]
    [InlineData("unsubscribe with packet id 0", "A2 06 0000 00 0001 61", ReasonCode.ProtocolError)]
    [InlineData("unsubscribe with an identifier", "A2 08 0001 02 0B01 0001 61", ReasonCode.MalformedPacket)]
    public async Task A_request_that_breaks_the_rules_ends_the_connection(string what, string hex, ReasonCode reason)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.ConnectRawAsync("r");
        await raw.SendAsync(hex);
        await raw.EndsAsync(reason, what);
    }

    [Theory]
    [InlineData("wrong flags", "80 06 0001 0001 61 00")]
    [InlineData("no filter", "82 02 0001")]
    [InlineData("empty filter", "82 05 0001 0000 00")]
    [InlineData("# that is not the last", "82 08 0001 0003 232F61 00")]
    [InlineData("QoS 3", "82 06 0001 0001 61 03")]
    [InlineData("a reserved bit", "82 06 0001 0001 61 04")]
    [InlineData("packet id 0", "82 06 0000 0001 61 00")]
    [InlineData("unsubscribe, wrong flags", "A0 05 0001 0001 61")]
    [InlineData("unsubscribe without filter", "A2 02 0001")]
    public async Task The_same_ends_a_3_1_1_connection(string what, string hex)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.ConnectRawAsync("r", ProtocolVersion.V311);
        await raw.SendAsync(hex);
        await raw.EndsAsync(default, what);
    }

    [Theory]
    [InlineData(ProtocolVersion.V311, "9006 1234 00010280 B002 4321")]
    [InlineData(ProtocolVersion.V5, "9007 1234 00 00010287 B006 4321 00 001111")]
    public async Task Each_request_has_one_answer_with_its_id_and_one_reason_for_each_filter_in_order(ProtocolVersion version, string answers)
    {
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Access = new NoSecrets());
        using var raw = await loopback.ConnectRawAsync("r", version);
        await raw.SendAsync(
            new SubscribePacket
            {
                PacketId = 0x1234,
                Entries = [new("a", new(QoS.AtMostOnce)), new("b/#", new(QoS.AtLeastOnce)), new("+/c", new(QoS.ExactlyOnce)), new("secret", default)],
            },
            new UnsubscribePacket { PacketId = 0x4321, Filters = ["a", "b/c", "secret"] });
        Assert.Equal(Convert.ToHexString(Bytes.Of(answers)), await raw.ReceiveHexAsync() + await raw.ReceiveHexAsync());
        Assert.Equal(2, loopback.Broker.Clients[0].Subscriptions);
    }

    [Theory]
    [InlineData(ProtocolVersion.V311)]
    [InlineData(ProtocolVersion.V5)]
    public async Task The_same_filter_again_replaces_the_subscription_and_nothing_is_lost_or_doubled(ProtocolVersion version)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.ConnectRawAsync("r", version);
        loopback.Broker.Publish(Messages.Message("a", "retained", QoS.ExactlyOnce, retain: true));
        foreach (var qos in new[] { QoS.AtMostOnce, QoS.ExactlyOnce, QoS.AtLeastOnce })
        {
            await raw.SubscribeAsync("a", qos);
            var greeting = await raw.ReceiveAsync<PublishPacket>();
            Assert.Equal((qos, true), (greeting.Message.QoS, greeting.Message.Retain));
            loopback.Broker.Publish(Messages.Message("a", "x", QoS.ExactlyOnce));
            Assert.Equal(qos, (await raw.ReceiveAsync<PublishPacket>()).Message.QoS);
            await raw.NothingCameAsync();
        }

        Assert.Equal(1, loopback.Broker.Statistics.Subscriptions);
    }

    [Fact]
    public async Task One_request_for_many_filters_is_as_good_as_many_requests()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.ConnectRawAsync("r");
        await raw.SendAsync(
            new SubscribePacket { PacketId = 1, Entries = [new("a", new(QoS.AtMostOnce)), new("a", new(QoS.ExactlyOnce)), new("b", default)] },
            new UnsubscribePacket { PacketId = 2, Filters = ["b", "b"] });
        Assert.Equal([ReasonCode.Success, ReasonCode.GrantedQoS2, ReasonCode.Success], (await raw.ReceiveAsync<SubAckPacket>()).Reasons);
        Assert.Equal([ReasonCode.Success, ReasonCode.NoSubscriptionExisted], (await raw.ReceiveAsync<SubAckPacket>()).Reasons);
        loopback.Broker.Publish(Messages.Message("a", "x", QoS.ExactlyOnce));
        Assert.Equal(QoS.ExactlyOnce, (await raw.ReceiveAsync<PublishPacket>()).Message.QoS);
        await raw.NothingCameAsync();
    }

    [Theory]
    [InlineData(ProtocolVersion.V311)]
    [InlineData(ProtocolVersion.V5)]
    public async Task After_UNSUBSCRIBE_nothing_new_comes_but_what_was_begun_is_finished(ProtocolVersion version)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.ConnectRawAsync("r", version);
        await raw.SubscribeAsync("a/+", QoS.ExactlyOnce);
        loopback.Broker.Publish(Messages.Message("a/b", "begun", QoS.ExactlyOnce));
        var begun = await raw.ReceiveAsync<PublishPacket>();
        // Compared character by character: a filter that covers the same is another one.
        await raw.SendAsync(new UnsubscribePacket { PacketId = 1, Filters = ["a/b", "a/#"] },
            new UnsubscribePacket { PacketId = 2, Filters = ["a/+"] });
        await raw.ReceiveAsync<SubAckPacket>();
        await raw.ReceiveAsync<SubAckPacket>();
        loopback.Broker.Publish(Messages.Message("a/b", "new", QoS.ExactlyOnce));
        await raw.SendAsync(Messages.Ack(PacketType.PubRec, begun.PacketId));
        Assert.Equal(begun.PacketId, (await raw.ReceiveAckAsync(PacketType.PubRel)).PacketId);
        await raw.SendAsync(Messages.Ack(PacketType.PubComp, begun.PacketId));
        await raw.NothingCameAsync();
    }

    [Fact]
    public async Task No_local_goes_by_the_client_id_of_the_publisher_also_for_what_was_retained()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.ConnectRawAsync("r");
        using var other = await loopback.ConnectRawAsync("other");
        await raw.PublishAsync(Messages.Message("a/own", "x", retain: true));
        await other.PublishAsync(Messages.Message("a/other", "x", retain: true));
        await raw.SubscribeAsync("a/+", new SubscriptionOptions(QoS.AtMostOnce, NoLocal: true));
        Assert.Equal("a/other", (await raw.ReceiveAsync<PublishPacket>()).Message.Topic);
        await raw.PublishAsync(Messages.Message("a/own"));
        await other.PublishAsync(Messages.Message("a/other"));
        Assert.Equal("a/other", (await raw.ReceiveAsync<PublishPacket>()).Message.Topic);
        // An overlapping subscription without the option still hears both.
        await raw.SubscribeAsync("a/#", new SubscriptionOptions(QoS.AtMostOnce, RetainHandling: RetainHandling.DoNotSend));
        await raw.SendAsync(Messages.Publish(Messages.Message("a/own")));
        Assert.Equal("a/own", (await raw.ReceiveAsync<PublishPacket>()).Message.Topic);
        await raw.NothingCameAsync();
    }

    [Fact]
    public async Task Identifiers_of_all_subscriptions_that_match_come_with_the_message_and_a_new_one_replaces_the_old()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.ConnectRawAsync("r");
        await raw.SubscribeAsync("a/b", new SubscriptionOptions(QoS.AtMostOnce), 1);
        await raw.SubscribeAsync("a/+", new SubscriptionOptions(QoS.ExactlyOnce), 268_435_455);
        await raw.SubscribeAsync("#", new SubscriptionOptions(QoS.AtLeastOnce));
        await raw.SubscribeAsync("+/b", new SubscriptionOptions(QoS.AtMostOnce), 1);
        loopback.Broker.Publish(Messages.Message("a/b", "x", QoS.ExactlyOnce, retain: true));
        var publish = await raw.ReceiveAsync<PublishPacket>();
        Assert.Equal(QoS.ExactlyOnce, publish.Message.QoS);
        Assert.Equal([1u, 1u, 268_435_455u], publish.Properties.SubscriptionIds!.Order());
        await raw.SubscribeAsync("a/b", new SubscriptionOptions(QoS.AtMostOnce), 2);
        Assert.Equal(2u, Assert.Single((await raw.ReceiveAsync<PublishPacket>()).Properties.SubscriptionIds!));
        await raw.SubscribeAsync("a/b", new SubscriptionOptions(QoS.AtMostOnce));
        Assert.Null((await raw.ReceiveAsync<PublishPacket>()).Properties.SubscriptionIds);
        await raw.NothingCameAsync();
    }

    private sealed class NoSecrets : IBrokerAccess
    {
        public ValueTask<ConnectVerdict> AuthenticateAsync(ConnectAttempt attempt, CancellationToken cancellation) =>
            ValueTask.FromResult(ConnectVerdict.Accept(Principal.Anonymous));

        public bool MayPublish(Principal principal, string topic) => true;

        public bool MaySubscribe(Principal principal, string filter) => filter != "secret";
    }
}
