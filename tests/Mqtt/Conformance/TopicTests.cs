using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Conformance;

/// <summary>Which filter covers which name, seen from outside (MQTT 5 section 4.7).</summary>
public sealed class TopicTests
{
    [Theory]
    [InlineData("#", "a,/a,a/b,/,//", "$a,$SYS/a,$a/b")]
    [InlineData("+", "a", "/a,a/,$a,/")]
    [InlineData("+/+", "/a,a/,/,a/b", "a,a/b/c,$a/b")]
    [InlineData("/+", "/a,/", "a,/a/b")]
    [InlineData("a/#", "a,a/,a/b,a/b/c", "b,A,ab,A/b")]
    [InlineData("a/+/c", "a/b/c,a//c", "a/b/c/d,a/c")]
    [InlineData("a/+/#", "a/b,a/b/c,a/", "a")]
    [InlineData("+/b/#", "a/b,/b/c", "$a/b,b")]
    [InlineData("$a/#", "$a,$a/b", "a")]
    [InlineData("$a/+", "$a/b", "$a,$a/b/c")]
    [InlineData("a b/\u20AC", "a b/\u20AC", "a b/E")]
    public async Task A_filter_covers_what_the_specification_says(string filter, string covered, string others)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.ConnectRawAsync("r");
        await raw.SubscribeAsync(filter, QoS.AtMostOnce);
        foreach (var topic in $"{others},{covered}".Split(',')) loopback.Broker.Publish(Messages.Message(topic, "x", retain: true));
        foreach (var topic in covered.Split(',')) Assert.Equal(topic, (await raw.ReceiveAsync<PublishPacket>()).Message.Topic);
        await raw.NothingCameAsync();
        await raw.SubscribeAsync(filter, QoS.AtMostOnce);
        var greetings = new List<string>();
        foreach (var _ in covered.Split(',')) greetings.Add((await raw.ReceiveAsync<PublishPacket>()).Message.Topic);
        Assert.Equal(covered.Split(',').Order(StringComparer.Ordinal), greetings.Order(StringComparer.Ordinal));
        await raw.NothingCameAsync();
    }

    [Fact]
    public async Task A_name_as_long_as_a_string_can_be_is_survived_and_refused_where_that_can_be_said()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.ConnectRawAsync("r");
        var longest = new string('x', 65535);
        await raw.SendAsync(Messages.Publish(Messages.Message(longest)));
        Assert.Equal(ReasonCode.TopicNameInvalid, await raw.PublishAsync(Messages.Message(longest)));
        await raw.SendAsync(new SubscribePacket { PacketId = 1, Entries = [new(longest, default)] });
        Assert.Equal(ReasonCode.TopicFilterInvalid, (await raw.ReceiveAsync<SubAckPacket>()).Reasons[0]);
    }
}
