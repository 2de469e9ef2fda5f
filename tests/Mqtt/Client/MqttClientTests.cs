using System.Net;
using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Client;

namespace EdgeFirmware.Mqtt.Tests.Client;

public sealed class MqttClientTests
{
    [Fact]
    public async Task A_thousand_publishes_at_once_are_all_acknowledged()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        var subscriber = await loopback.ConnectAsync("s");
        await subscriber.SubscribeAsync("t", QoS.ExactlyOnce);
        var publisher = await loopback.ConnectAsync("p");
        var all = Enumerable.Range(0, 1000).Select(i => publisher.PublishAsync(Messages.Message("t", $"{i}", QoS.ExactlyOnce))).ToArray();
        for (var i = 0; i < 1000; i++) Assert.Equal($"{i}", (await Within.Reason(subscriber.ReceiveAsync())).Message.Text());
        Assert.All(await Within.Reason(Task.WhenAll(all)), reason => Assert.Equal(ReasonCode.Success, reason));
    }

    [Fact]
    public async Task It_comes_back_with_its_subscriptions_and_what_it_had_to_publish()
    {
        var loopback = await LoopbackBroker.StartAsync();
        var port = loopback.Port;
        await using var client = new MqttClient(new MqttClientOptions
        {
            Server = loopback.Address, ClientId = "c", Reconnect = true, ReconnectDelay = TimeSpan.FromMilliseconds(20),
        });
        Assert.True((await client.ConnectAsync()).IsAccepted);
        await client.SubscribeAsync("t");
        await loopback.DisposeAsync();
        await Within.Until(() => !client.IsConnected, "noticed");
        var waiting = client.PublishAsync(Messages.Message("t", "patience", QoS.AtLeastOnce));

        await using var broker = await MqttBroker.StartAsync(new BrokerOptions(), BrokerEndpoint.Tcp(IPAddress.Loopback, port));
        Assert.Equal(ReasonCode.Success, await Within.Reason(waiting));
        Assert.Equal("patience", (await Within.Reason(client.ReceiveAsync())).Message.Text());
    }

    [Fact]
    public async Task Without_reconnecting_a_loss_ends_everything_that_waits()
    {
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Tap = new SilentTap());
        var client = await loopback.ConnectAsync("c");
        var publish = client.PublishAsync(Messages.Message("t", "x", QoS.AtLeastOnce));
        var read = client.ReceiveAsync();
        await Within.Until(() => loopback.Broker.Statistics.MessagesIn == 1, "published");
        loopback.Broker.Disconnect("c", ReasonCode.ServerBusy);
        await Assert.ThrowsAsync<MqttException>(() => Within.Reason(publish));
        await Assert.ThrowsAsync<MqttException>(() => Within.Reason(read));
        Assert.Equal(ReasonCode.ServerBusy, await Within.Reason(client.Disconnected));
        await Assert.ThrowsAsync<MqttException>(() => client.PublishAsync(Messages.Message("t")));
        await Assert.ThrowsAsync<MqttException>(() => client.SubscribeAsync("t"));
    }

    [Fact]
    public async Task A_message_is_acknowledged_when_it_is_read_or_when_the_application_says_so()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        var client = await loopback.ConnectAsync("c", options => options.AcknowledgeManually = true);
        var outcomes = new List<DeliveryOutcome>();
        loopback.Broker.Deliver("c", Messages.Message("t", "1"), QoS.AtLeastOnce, outcomes.Add);
        loopback.Broker.Deliver("c", Messages.Message("t", "2"), QoS.AtLeastOnce, outcomes.Add);
        var first = await Within.Reason(client.ReceiveAsync());
        var second = await Within.Reason(client.ReceiveAsync());
        second.Acknowledge(ReasonCode.QuotaExceeded);
        Assert.Empty(outcomes);
        first.Acknowledge();
        await Within.Until(() => outcomes.Count == 2, "acknowledged");
        Assert.Equal([DeliveryOutcome.Acknowledged, DeliveryOutcome.Refused], outcomes);
    }

    [Fact]
    public async Task A_reader_that_falls_behind_slows_the_broker_down()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        var client = await loopback.ConnectAsync("c", options => options.ReceiveMaximum = 5);
        for (var i = 0; i < 20; i++) loopback.Broker.Deliver("c", Messages.Message("t", $"{i}"), QoS.AtLeastOnce);
        Assert.Equal((5, 15), (loopback.Broker.Clients[0].InFlight, loopback.Broker.Clients[0].QueuedMessages));
        for (var i = 0; i < 20; i++) Assert.Equal($"{i}", (await Within.Reason(client.ReceiveAsync())).Message.Text());
    }

    [Fact]
    public async Task A_silent_broker_is_given_up_and_cancellation_is_obeyed()
    {
        using var listener = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.InterNetwork, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        await using var impatient = new MqttClient(new() { Server = listener.LocalEndPoint!, ConnectTimeout = TimeSpan.FromMilliseconds(50) });
        await Assert.ThrowsAsync<MqttException>(() => Within.Reason(impatient.ConnectAsync()));
        using var cancel = new CancellationTokenSource();
        await using var patient = new MqttClient(new() { Server = listener.LocalEndPoint! });
        var connecting = patient.ConnectAsync(cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Within.Reason(connecting));
    }

    [Fact]
    public async Task It_pings_and_gives_up_a_broker_that_does_not_answer()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        var time = new ManualTime();
        var client = await loopback.ConnectAsync("c", options => (options.KeepAlive, options.TimeProvider) = (TimeSpan.FromSeconds(10), time));
        var before = loopback.Broker.Statistics.BytesIn;
        time.AdvanceSeconds(5);
        await Within.Until(() => loopback.Broker.Statistics.BytesIn > before, "a ping");
        Assert.True(client.IsConnected);
    }

    /// <summary>Takes every message and never lets an acknowledgement go.</summary>
    private sealed class SilentTap : IBrokerTap
    {
        public TapVerdict OnPublish(ClientInfo publisher, MqttMessage message, PublishHold hold)
        {
            hold.Defer();
            return TapVerdict.Taken;
        }

        public SubscribeVerdict OnSubscribe(ClientInfo client, string filter, SubscriptionOptions options) => SubscribeVerdict.Normal;

        public void OnUnsubscribe(ClientInfo client, string filter)
        {
        }

        public void OnConnected(ClientInfo client, bool sessionPresent)
        {
        }

        public void OnDisconnected(ClientInfo client, ReasonCode reason)
        {
        }

        public void OnSessionEnded(ClientInfo client)
        {
        }
    }
}
