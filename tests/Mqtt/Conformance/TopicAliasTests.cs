using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Conformance;

/// <summary>Topic aliases, both ways (MQTT 5 section 3.3.2.3.4).</summary>
public sealed class TopicAliasTests
{
    [Fact]
    public async Task Every_alias_up_to_the_maximum_may_be_set_used_and_set_again()
    {
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Limits.TopicAliasMax = 3);
        using var reader = await loopback.ConnectRawAsync("reader");
        await reader.SubscribeAsync("#", QoS.AtMostOnce);
        using var raw = await loopback.ConnectRawAsync("r");
        Assert.Equal((ushort)3, raw.Accepted.Properties.TopicAliasMaximum!.Value);
        (string Topic, ushort Alias, string Arrives)[] steps =
            [("a", 1, "a"), ("b", 3, "b"), ("", 1, "a"), ("", 3, "b"), ("c", 1, "c"), ("", 1, "c"), ("", 3, "b"), ("d", 2, "d"), ("", 2, "d")];
        foreach (var (topic, alias, arrives) in steps)
        {
            await raw.SendAsync(Publish(topic, alias));
            var publish = await reader.ReceiveAsync<PublishPacket>();
            Assert.Equal((arrives, null), (publish.Message.Topic, publish.TopicAlias));
        }
    }

    [Theory]
    [InlineData("alias 0", "30 07 0001 61 03 230000", ReasonCode.TopicAliasInvalid)]
    [InlineData("alias 0 without topic", "30 06 0000 03 230000", ReasonCode.TopicAliasInvalid)]
    [InlineData("one above the maximum", "30 07 0001 61 03 230021", ReasonCode.TopicAliasInvalid)]
    [InlineData("one above the maximum, without topic", "30 06 0000 03 230021", ReasonCode.TopicAliasInvalid)]
    [InlineData("one that was never set", "30 06 0000 03 230001", ReasonCode.ProtocolError)]
    [InlineData("two at once", "30 0A 0001 61 06 230001 230001", ReasonCode.ProtocolError)]
    public async Task An_alias_that_means_nothing_ends_the_connection(string what, string hex, ReasonCode reason)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.ConnectRawAsync("r");
        await raw.SendAsync(hex);
        await raw.EndsAsync(reason, what);
    }

    [Fact]
    public async Task Aliases_end_with_their_connection_on_both_sides()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        var keep = Messages.Keep("r", properties: new() { TopicAliasMaximum = 1 });
        using (var raw = await loopback.ConnectRawAsync(keep))
        {
            await raw.SubscribeAsync("a", QoS.AtLeastOnce);
            await raw.SendAsync(Publish("a", 1));
            Assert.Equal(("a", (ushort?)1), TopicOf(await raw.ReceiveAsync<PublishPacket>()));
            await raw.SendAsync(Publish("", 1));
            Assert.Equal(("", (ushort?)1), TopicOf(await raw.ReceiveAsync<PublishPacket>()));
        }

        using var again = await loopback.ConnectRawAsync(keep);
        loopback.Broker.Publish(Messages.Message("a"));
        Assert.Equal(("a", (ushort?)1), TopicOf(await again.ReceiveAsync<PublishPacket>()));
        await again.SendAsync(Publish("", 1));
        await again.EndsAsync(ReasonCode.ProtocolError);
    }

    [Theory]
    [InlineData(null, 0)]
    [InlineData((ushort)0, 0)]
    [InlineData((ushort)1, 1)]
    [InlineData((ushort)2, 2)]
    public async Task The_broker_uses_as_many_aliases_as_it_may_and_none_when_it_was_offered_none(ushort? maximum, int used)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.ConnectRawAsync(Messages.Connect("r", properties: new() { TopicAliasMaximum = maximum }));
        await raw.SubscribeAsync("#", QoS.AtLeastOnce);
        var seen = new Dictionary<ushort, string>();
        foreach (var topic in new[] { "a", "b", "c", "a", "b", "c" })
        {
            loopback.Broker.Publish(Messages.Message(topic, topic, QoS.AtLeastOnce));
            var publish = await raw.ReceiveAsync<PublishPacket>();
            if (publish.Message.Topic.Length > 0 && publish.TopicAlias is { } set) seen[set] = publish.Message.Topic;
            Assert.Equal(topic, publish.Message.Topic.Length > 0 ? publish.Message.Topic : seen[publish.TopicAlias!.Value]);
        }

        Assert.Equal(used, seen.Count);
        Assert.All(seen.Keys, alias => Assert.InRange(alias, 1, used));
    }

    private static (string, ushort?) TopicOf(PublishPacket publish) => (publish.Message.Topic, publish.TopicAlias);

    private static PublishPacket Publish(string topic, ushort alias) =>
        new() { Message = Messages.Message(topic), Properties = new PacketProperties { TopicAlias = alias } };
}
