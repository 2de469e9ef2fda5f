using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Conformance;

/// <summary>How long a session lives and who gets it (MQTT 5 sections 3.1.2.4, 3.1.2.11.2, 3.14.2.2.2 and 4.1).</summary>
public sealed class SessionTests
{
    private const uint Never = uint.MaxValue;
    private readonly ManualTime _time = new();

    [Theory]
    [InlineData(null, null, 0, false)]
    [InlineData(0u, null, 0, false)]
    [InlineData(100u, null, 97, true)]
    [InlineData(100u, null, 102, false)]
    [InlineData(Never, null, 1_000_000, true)]
    [InlineData(100u, 0u, 0, false)]
    [InlineData(100u, 500u, 400, true)]
    [InlineData(100u, 500u, 502, false)]
    [InlineData(500u, 100u, 102, false)]
    [InlineData(100u, Never, 1_000_000, true)]
    public async Task A_session_lives_as_long_as_CONNECT_or_else_DISCONNECT_says(uint? atConnect, uint? atDisconnect, int awaySeconds, bool present)
    {
        await using var loopback = await LoopbackBroker.StartAsync(options => options.TimeProvider = _time);
        using var first = await loopback.ConnectRawAsync(Messages.Connect("r", properties: new() { SessionExpirySeconds = atConnect }));
        await first.SubscribeAsync("a", QoS.AtLeastOnce);
        await first.SendAsync(new ReasonPacket(PacketType.Disconnect) { Properties = new() { SessionExpirySeconds = atDisconnect } });
        Assert.Null(await first.ReceiveAsync());
        await loopback.AwayAsync("r");
        loopback.Broker.Publish(Messages.Message("a", "meanwhile", QoS.AtLeastOnce));
        _time.AdvanceSeconds(awaySeconds);
        using var second = await loopback.ConnectRawAsync(Messages.Keep("r"));
        Assert.Equal(present, second.Accepted.SessionPresent);
        if (present) Assert.Equal("meanwhile", (await second.ReceiveAsync<PublishPacket>()).Message.Text());
        await second.NothingCameAsync();
    }

    [Fact]
    public async Task A_session_that_never_expires_is_held_to_the_brokers_limit_and_its_client_told_so()
    {
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Limits.SessionExpiryMax = TimeSpan.FromHours(1));
        using var forEver = await loopback.ConnectRawAsync(Messages.Keep("a", Never));
        using var shorter = await loopback.ConnectRawAsync(Messages.Keep("b", 3599));
        Assert.Equal((3600u, null), (forEver.Accepted.Properties.SessionExpirySeconds, shorter.Accepted.Properties.SessionExpirySeconds));
    }

    [Theory]
    [InlineData(ProtocolVersion.V311, false, ProtocolVersion.V311, false, true)]
    [InlineData(ProtocolVersion.V311, false, ProtocolVersion.V311, true, false)]
    [InlineData(ProtocolVersion.V311, true, ProtocolVersion.V311, false, false)]
    [InlineData(ProtocolVersion.V311, false, ProtocolVersion.V5, false, true)]
    [InlineData(ProtocolVersion.V5, false, ProtocolVersion.V311, false, true)]
    [InlineData(ProtocolVersion.V5, false, ProtocolVersion.V5, true, false)]
    [InlineData(ProtocolVersion.V5, true, ProtocolVersion.V5, false, true)]
    public async Task A_session_is_resumed_when_there_is_one_unless_a_clean_start_is_asked_for(
        ProtocolVersion first, bool firstClean, ProtocolVersion second, bool secondClean, bool present)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using (var raw = await loopback.ConnectRawAsync(Connect(first, firstClean)))
        {
            Assert.False(raw.Accepted.SessionPresent);
            await raw.SubscribeAsync("a", QoS.AtLeastOnce);
        }

        await loopback.AwayAsync("r");
        using var again = await loopback.ConnectRawAsync(Connect(second, secondClean));
        Assert.Equal(present, again.Accepted.SessionPresent);
        loopback.Broker.Publish(Messages.Message("a", "x", QoS.AtLeastOnce));
        if (present) await again.ReceiveAsync<PublishPacket>();
        await again.NothingCameAsync();
    }

    [Theory]
    [InlineData(ProtocolVersion.V311, 0u, false)]
    [InlineData(ProtocolVersion.V311, 100u, true)]
    [InlineData(ProtocolVersion.V5, 0u, false)]
    [InlineData(ProtocolVersion.V5, 100u, true)]
    public async Task A_second_connection_ends_the_first_and_takes_over_a_session_that_outlives_it(ProtocolVersion version, uint expiry, bool present)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        var connect = version == ProtocolVersion.V5 ? Messages.Keep("r", expiry) : Messages.Connect("r", version, cleanStart: expiry == 0);
        using var first = await loopback.ConnectRawAsync(connect);
        using var second = await loopback.ConnectRawAsync(connect);
        Assert.Equal(present, second.Accepted.SessionPresent);
        await first.EndsAsync(ReasonCode.SessionTakenOver);
        await second.NothingCameAsync();
    }

    [Theory]
    [InlineData(ProtocolVersion.V311)]
    [InlineData(ProtocolVersion.V5)]
    public async Task While_the_client_is_away_QoS_1_and_2_are_kept_for_it_and_nothing_that_came_before_its_subscription(ProtocolVersion version)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        loopback.Broker.Publish(Messages.Message("a", "early", QoS.ExactlyOnce));
        using (var raw = await loopback.ConnectRawAsync(Connect(version, clean: false))) await raw.SubscribeAsync("a", QoS.ExactlyOnce);
        await loopback.AwayAsync("r");
        for (var qos = QoS.AtMostOnce; qos <= QoS.ExactlyOnce; qos++) loopback.Broker.Publish(Messages.Message("a", $"{qos}", qos));
        using var again = await loopback.ConnectRawAsync(Connect(version, clean: false));
        Assert.Equal("AtLeastOnce", (await again.ReceiveAsync<PublishPacket>()).Message.Text());
        Assert.Equal("ExactlyOnce", (await again.ReceiveAsync<PublishPacket>()).Message.Text());
        await again.NothingCameAsync();
    }

    [Fact]
    public async Task Retained_messages_belong_to_no_session_and_outlive_it()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using (var raw = await loopback.ConnectRawAsync("r", ProtocolVersion.V311))
            await raw.PublishAsync(Messages.Message("a", "kept", retain: true));
        await Within.Until(() => loopback.Broker.Clients.Count == 0, "the session is gone");
        using var reader = await loopback.ConnectRawAsync("reader", ProtocolVersion.V311);
        await reader.SubscribeAsync("a", QoS.AtMostOnce);
        Assert.Equal("kept", (await reader.ReceiveAsync<PublishPacket>()).Message.Text());
    }

    private static ConnectPacket Connect(ProtocolVersion version, bool clean) => Messages.Connect(
        "r", version, clean, properties: version == ProtocolVersion.V5 ? new PacketProperties { SessionExpirySeconds = 100 } : null);
}
