using EdgeFirmware.Mqtt.Client;

namespace EdgeFirmware.Mqtt.Tests.Broker;

public sealed class WillTests
{
    private readonly ManualTime _time = new();

    [Theory]
    [InlineData(ProtocolVersion.V311)]
    [InlineData(ProtocolVersion.V5)]
    public async Task A_will_is_published_when_the_connection_breaks_and_not_after_a_good_bye(ProtocolVersion version)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        var watcher = await WatchAsync(loopback);
        var polite = await loopback.ConnectAsync("polite", options => WithWill(options, version, 0));
        await polite.DisconnectAsync();
        await loopback.ConnectAsync("lost", options => WithWill(options, version, 0));
        loopback.Broker.Disconnect("lost");
        Assert.Equal("wills/lost", (await Within.Reason(watcher.ReceiveAsync())).Message.Topic);
    }

    [Fact]
    public async Task A_good_bye_may_ask_for_the_will()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        var watcher = await WatchAsync(loopback);
        var client = await loopback.ConnectAsync("c", options => WithWill(options, ProtocolVersion.V5, 0));
        await client.DisconnectAsync(ReasonCode.DisconnectWithWill);
        Assert.Equal("wills/c", (await Within.Reason(watcher.ReceiveAsync())).Message.Topic);
    }

    [Fact]
    public async Task A_delayed_will_waits_and_a_return_in_time_cancels_it()
    {
        await using var loopback = await LoopbackBroker.StartAsync(options => options.TimeProvider = _time);
        var watcher = await WatchAsync(loopback);
        await loopback.ConnectAsync("c", options => WithWill(options, ProtocolVersion.V5, 10));
        await LoseAsync(loopback, "c");
        _time.AdvanceSeconds(9);
        await loopback.ConnectAsync("c", options => WithWill(options, ProtocolVersion.V5, 20));
        _time.AdvanceSeconds(15);
        await LoseAsync(loopback, "c");
        _time.AdvanceSeconds(18);
        loopback.Broker.Publish(Messages.Message("wills/marker"));
        _time.AdvanceSeconds(4);
        Assert.Equal("wills/marker", (await Within.Reason(watcher.ReceiveAsync())).Message.Topic);
        Assert.Equal("wills/c", (await Within.Reason(watcher.ReceiveAsync())).Message.Topic);
    }

    [Fact]
    public async Task A_delayed_will_is_published_when_its_session_ends_first()
    {
        await using var loopback = await LoopbackBroker.StartAsync(options => options.TimeProvider = _time);
        var watcher = await WatchAsync(loopback);
        await loopback.ConnectAsync("c", options => WithWill(options, ProtocolVersion.V5, 1000));
        await LoseAsync(loopback, "c");
        await loopback.ConnectAsync("c", options => options.CleanStart = true);
        Assert.Equal("wills/c", (await Within.Reason(watcher.ReceiveAsync())).Message.Topic);
    }

    [Fact]
    public async Task A_silent_client_is_lost_after_one_and_a_half_keep_alives()
    {
        await using var loopback = await LoopbackBroker.StartAsync(options => options.TimeProvider = _time);
        var watcher = await WatchAsync(loopback);
        var client = await loopback.ConnectAsync("c", options =>
        {
            WithWill(options, ProtocolVersion.V5, 0);
            options.KeepAlive = TimeSpan.FromSeconds(1000);
            options.TimeProvider = new ManualTime();
        });
        _time.AdvanceSeconds(1499);
        Assert.True(client.IsConnected);
        _time.AdvanceSeconds(3);
        Assert.Equal("wills/c", (await Within.Reason(watcher.ReceiveAsync())).Message.Topic);
        Assert.Equal(ReasonCode.KeepAliveTimeout, await Within.Reason(client.Disconnected));
    }

    private static async Task<MqttClient> WatchAsync(LoopbackBroker loopback)
    {
        var watcher = await loopback.ConnectAsync("watcher");
        await watcher.SubscribeAsync("wills/#");
        return watcher;
    }

    private static async Task LoseAsync(LoopbackBroker loopback, string clientId)
    {
        Assert.True(loopback.Broker.Disconnect(clientId));
        await Within.Until(() => !loopback.Broker.Clients.Single(client => client.ClientId == clientId).Connected, "disconnected");
    }

    private static void WithWill(MqttClientOptions options, ProtocolVersion version, uint delaySeconds)
    {
        options.Version = version;
        options.CleanStart = version == ProtocolVersion.V311;
        options.SessionExpirySeconds = version == ProtocolVersion.V5 ? 10_000u : 0;
        options.Will = new LastWill(Messages.Message($"wills/{options.ClientId}", "gone", QoS.AtLeastOnce), delaySeconds);
    }
}
