using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Conformance;

/// <summary>When a will is published, and how (MQTT 5 sections 3.1.2.5, 3.1.3.2 and 3.14.4).</summary>
public sealed class WillTests
{
    private readonly ManualTime _time = new();

    [Theory]
    [InlineData("3.1.1 good-bye", "E0 00", ProtocolVersion.V311, false)]
    [InlineData("3.1.1 bad packet", "00 00", ProtocolVersion.V311, true)]
    [InlineData("3.1.1 good-bye with a body", "E0 01 00", ProtocolVersion.V311, true)]
    [InlineData("3.1.1 broken connection", "", ProtocolVersion.V311, true)]
    [InlineData("good-bye", "E0 00", ProtocolVersion.V5, false)]
    [InlineData("good-bye in full", "E0 02 00 00", ProtocolVersion.V5, false)]
    [InlineData("good-bye with will", "E0 01 04", ProtocolVersion.V5, true)]
    [InlineData("an error", "E0 01 80", ProtocolVersion.V5, true)]
    [InlineData("another error", "E0 01 98", ProtocolVersion.V5, true)]
    [InlineData("a reason that is none", "E0 01 03", ProtocolVersion.V5, true)]
    [InlineData("bad packet", "00 00", ProtocolVersion.V5, true)]
    [InlineData("protocol error", "D0 00", ProtocolVersion.V5, true)]
    [InlineData("broken connection", "", ProtocolVersion.V5, true)]
    public async Task A_will_is_published_after_every_end_but_a_good_bye(string what, string end, ProtocolVersion version, bool published)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var watcher = await WatchAsync(loopback);
        using (var raw = await loopback.ConnectRawAsync(Messages.Connect("r", version, will: new LastWill(Messages.Message("will")))))
        {
            if (end.Length > 0)
            {
                await raw.SendAsync(end);
                while (await raw.ReceiveAsync() is not null) { }
            }
        }

        await loopback.AwayAsync("r");
        if (published) Assert.Equal((what, "will"), (what, (await watcher.ReceiveAsync<PublishPacket>()).Message.Topic));
        await watcher.NothingCameAsync();
    }

    [Theory]
    [InlineData(QoS.AtMostOnce, false)]
    [InlineData(QoS.AtLeastOnce, true)]
    [InlineData(QoS.ExactlyOnce, true)]
    public async Task A_will_goes_out_as_it_was_left(QoS qos, bool retain)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var watcher = await loopback.ConnectRawAsync("watcher");
        await watcher.SubscribeAsync("will", new SubscriptionOptions(QoS.ExactlyOnce, RetainAsPublished: true));
        var left = Messages.Message("will", "gone", qos, retain) with
        {
            PayloadFormat = 1,
            MessageExpirySeconds = 1000,
            ContentType = "text",
            ResponseTopic = "answers",
            CorrelationData = new byte[] { 7 },
            UserProperties = [new("z", "1"), new("a", "2"), new("z", "0")],
        };
        using (await loopback.ConnectRawAsync(Messages.Connect("r", will: new LastWill(left)))) { }
        var will = (await watcher.ReceiveAsync<PublishPacket>()).Message;
        Assert.Equal((qos, retain, "gone", (byte?)1, "text", "answers"),
            (will.QoS, will.Retain, will.Text(), will.PayloadFormat, will.ContentType, will.ResponseTopic));
        Assert.Equal(left.UserProperties, will.UserProperties);
        Assert.Equal([7], will.CorrelationData!.Value.ToArray());
        Assert.InRange(will.MessageExpirySeconds!.Value, 990u, 1000u);
        Assert.Equal(retain ? 1 : 0, loopback.Broker.Statistics.RetainedMessages);
    }

    [Theory]
    [InlineData("the delay ends before the session", 10u, 100u, 9, 3)]
    [InlineData("the session ends before the delay", 100u, 10u, 9, 3)]
    [InlineData("the session ends with the connection", 100u, 0u, -1, 0)]
    [InlineData("no delay", 0u, 100u, -1, 0)]
    public async Task A_delayed_will_waits_until_its_time_or_the_end_of_its_session(string what, uint delay, uint expiry, int silent, int more)
    {
        await using var loopback = await LoopbackBroker.StartAsync(options => options.TimeProvider = _time);
        using var watcher = await WatchAsync(loopback);
        using (await ConnectAsync(loopback, delay, expiry)) { }
        await loopback.AwayAsync("r");
        if (silent >= 0)
        {
            _time.AdvanceSeconds(silent);
            await watcher.NothingCameAsync();
            _time.AdvanceSeconds(more);
        }

        Assert.Equal((what, "will"), (what, (await watcher.ReceiveAsync<PublishPacket>()).Message.Topic));
        _time.AdvanceSeconds(1000);
        await watcher.NothingCameAsync();
    }

    [Theory]
    [InlineData("a return in time", true, 10u, 100u, false, false)]
    [InlineData("a return to a new session", true, 10u, 100u, true, true)]
    [InlineData("a take-over in time", false, 10u, 100u, false, false)]
    [InlineData("a take-over without delay", false, 0u, 100u, false, true)]
    [InlineData("a take-over with a clean start", false, 10u, 100u, true, true)]
    [InlineData("a take-over of a session that ends with its connection", false, 10u, 0u, false, true)]
    public async Task A_new_connection_cancels_a_delayed_will_unless_it_ends_the_session(
        string what, bool away, uint delay, uint expiry, bool clean, bool published)
    {
        await using var loopback = await LoopbackBroker.StartAsync(options => options.TimeProvider = _time);
        using var watcher = await WatchAsync(loopback);
        using var first = await ConnectAsync(loopback, delay, expiry);
        if (away)
        {
            first.Dispose();
            await loopback.AwayAsync("r");
        }

        using var second = await loopback.ConnectRawAsync(
            Messages.Connect("r", cleanStart: clean, properties: new() { SessionExpirySeconds = 100 }));
        if (published) Assert.Equal((what, "will"), (what, (await watcher.ReceiveAsync<PublishPacket>()).Message.Topic));
        _time.AdvanceSeconds(50);
        await watcher.NothingCameAsync();
        second.Dispose();
        await loopback.AwayAsync("r");
        _time.AdvanceSeconds(1000);
        await watcher.NothingCameAsync();
    }

    [Theory]
    [InlineData(ProtocolVersion.V311)]
    [InlineData(ProtocolVersion.V5)]
    public async Task A_client_that_falls_silent_is_lost_after_one_and_a_half_keep_alives(ProtocolVersion version)
    {
        await using var loopback = await LoopbackBroker.StartAsync(options => options.TimeProvider = _time);
        using var watcher = await WatchAsync(loopback);
        using var raw = await loopback.ConnectRawAsync(Messages.Connect("r", version, keepAlive: 10, will: new LastWill(Messages.Message("will"))));
        _time.AdvanceSeconds(14);
        await raw.NothingCameAsync();
        _time.AdvanceSeconds(14);
        await raw.NothingCameAsync();
        await watcher.NothingCameAsync();
        _time.AdvanceSeconds(17);
        await raw.EndsAsync(ReasonCode.KeepAliveTimeout);
        Assert.Equal("will", (await watcher.ReceiveAsync<PublishPacket>()).Message.Topic);
    }

    private static async Task<RawClient> WatchAsync(LoopbackBroker loopback)
    {
        var watcher = await loopback.ConnectRawAsync("watcher");
        await watcher.SubscribeAsync("#", QoS.AtMostOnce);
        return watcher;
    }

    private static Task<RawClient> ConnectAsync(LoopbackBroker loopback, uint delay, uint expiry) => loopback.ConnectRawAsync(
        Messages.Connect("r", will: new LastWill(Messages.Message("will"), delay), properties: new() { SessionExpirySeconds = expiry }));
}
