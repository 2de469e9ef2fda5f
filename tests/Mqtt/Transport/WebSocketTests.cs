using System.Net.WebSockets;
using EdgeFirmware.Mqtt.Client;
using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Transport;

/// <summary>MQTT 5 section 6.</summary>
public sealed class WebSocketTests
{
    private static readonly byte[] Connect = Bytes.Of(new ConnectPacket { Version = ProtocolVersion.V5, ClientId = "ws", CleanStart = true }, ProtocolVersion.V5);

    [Fact]
    public async Task Messages_of_every_size_pass_both_ways()
    {
        await using var broker = new WebSocketBroker();
        await using var client = NewClient(broker);
        Assert.Equal(ReasonCode.Success, (await Within.Reason(client.ConnectAsync())).Reason);
        Assert.Equal(TransportKind.WebSocket, Assert.Single(broker.Broker.Clients).Transport);
        await client.SubscribeAsync("a", QoS.AtLeastOnce);
        foreach (var bytes in (int[])[0, 1, 125, 126, 65_535, 65_536, 900_000])
        {
            var payload = new byte[bytes];
            Random.Shared.NextBytes(payload);
            Assert.Equal(ReasonCode.Success, await Within.Reason(client.PublishAsync(new MqttMessage { Topic = "a", Payload = payload, QoS = QoS.AtLeastOnce })));
            Assert.Equal(payload, (await Within.Reason(client.ReceiveAsync())).Message.Payload.ToArray());
        }
    }

    [Fact]
    public async Task Packets_may_share_messages_and_span_them()
    {
        await using var broker = new WebSocketBroker();
        using var socket = await broker.OpenAsync();
        var ping = Bytes.Of(PingPacket.Request, ProtocolVersion.V5);
        byte[] all = [.. Connect, .. ping, .. ping];
        await SendAsync(socket, []);
        for (var i = 0; i < 5; i++) await SendAsync(socket, [all[i]]); // a byte a message
        await SendAsync(socket, []);
        await socket.SendAsync(all.AsMemory(5, 4), WebSocketMessageType.Binary, endOfMessage: false, CancellationToken.None); // a message in frames
        await socket.SendAsync(all.AsMemory(9, all.Length - 10), WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None);
        await SendAsync(socket, [all[^1], .. ping, .. Bytes.Of(new ReasonPacket(PacketType.Disconnect), ProtocolVersion.V5)]);
        var (answer, close) = await ReadAllAsync(socket);
        Assert.Equal(0x20, answer[0]);
        Assert.Equal(Enumerable.Repeat((byte[])[0xD0, 0x00], 3).SelectMany(pong => pong), answer[(2 + answer[1])..]);
        Assert.Equal(WebSocketCloseStatus.NormalClosure, close);
    }

    [Fact]
    public async Task A_text_message_ends_the_connection()
    {
        await using var broker = new WebSocketBroker();
        using var socket = await broker.OpenAsync();
        await SendAsync(socket, Connect);
        await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
        Assert.Equal(WebSocketCloseStatus.InvalidMessageType, (await ReadAllAsync(socket)).Close);
        await Within.Until(() => broker.Broker.Statistics.Connections == 0, "closed");
    }

    [Fact]
    public async Task A_client_that_closes_or_breaks_off_is_gone()
    {
        await using var broker = new WebSocketBroker();
        using var polite = await broker.OpenAsync();
        using var rude = await broker.OpenAsync();
        using var idle = await broker.OpenAsync();
        foreach (var socket in (ClientWebSocket[])[polite, rude])
            await SendAsync(socket, Bytes.Of(new ConnectPacket { Version = ProtocolVersion.V5, ClientId = "", CleanStart = true }, ProtocolVersion.V5));
        await Within.Until(() => broker.Broker.Statistics is { Connections: 3, Sessions: 2 }, "connected");
        await Within.Reason(polite.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None));
        rude.Abort();
        idle.Abort();
        await Within.Until(() => broker.Broker.Statistics is { Connections: 0, Sessions: 0 }, "gone");
    }

    [Fact]
    public async Task The_limits_are_those_of_TCP()
    {
        var time = new ManualTime();
        await using var broker = new WebSocketBroker(options =>
        {
            options.TimeProvider = time;
            options.Limits.ConnectionsMax = 2;
            options.Limits.PacketBytesMax = 1000;
        });
        using var silent = await broker.OpenAsync();
        using var large = await broker.OpenAsync();
        await Within.Until(() => broker.Broker.Statistics.Connections == 2, "accepted");
        using var surplus = await broker.OpenAsync();
        await Assert.ThrowsAnyAsync<WebSocketException>(() => ReadAllAsync(surplus));

        await SendAsync(large, [.. Connect, .. Bytes.Of(Messages.Publish(new MqttMessage { Topic = "a", Payload = new byte[1000] }), ProtocolVersion.V5)]);
        await Within.Until(() => broker.Broker.Statistics.Sessions == 0 && broker.Broker.Statistics.ConnectionsAccepted == 1, "ended");
        time.AdvanceSeconds(11);
        var (answer, _) = await ReadAllAsync(large);
        Assert.Equal([0xE0, 0x01, (byte)ReasonCode.PacketTooLarge], answer[(2 + answer[1])..]);
        await ReadAllAsync(silent);
        // A closing connection may not have begun to wait for its peer when the time above went by.
        await Within.Until(
            () =>
            {
                time.AdvanceSeconds(3);
                return broker.Broker.Statistics.Connections == 0;
            },
            "closed");
    }

    [Fact]
    public async Task A_kicked_client_and_a_stopping_broker_close_it()
    {
        await using var broker = new WebSocketBroker();
        await using var client = NewClient(broker);
        await Within.Reason(client.ConnectAsync());
        Assert.True(broker.Broker.Disconnect("ws"));
        Assert.Equal(ReasonCode.AdministrativeAction, await Within.Reason(client.Disconnected));
        await using var other = NewClient(broker);
        await Within.Reason(other.ConnectAsync());
        await Within.Reason(broker.Broker.StopAsync());
        Assert.Equal(ReasonCode.ServerShuttingDown, await Within.Reason(other.Disconnected));
    }

    [Fact]
    public async Task A_server_that_speaks_something_else_is_refused()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        await using var client = loopback.NewClient("ws", options => options.WebSocketPath = "/mqtt");
        await Assert.ThrowsAsync<MqttException>(() => Within.Reason(client.ConnectAsync()));
    }

    private static MqttClient NewClient(WebSocketBroker broker) => new(new MqttClientOptions
    {
        Server = MqttClientOptions.Tcp("127.0.0.1", broker.Port), ClientId = "ws", WebSocketPath = "/mqtt",
    });

    private static Task SendAsync(ClientWebSocket socket, byte[] bytes) =>
        socket.SendAsync(bytes, WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None);

    private static async Task<(byte[] Bytes, WebSocketCloseStatus? Close)> ReadAllAsync(ClientWebSocket socket)
    {
        using var all = new MemoryStream();
        var buffer = new byte[4096];
        while (true)
        {
            var received = await Within.Reason(socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None));
            if (received.MessageType == WebSocketMessageType.Close) return (all.ToArray(), socket.CloseStatus);
            Assert.Equal(WebSocketMessageType.Binary, received.MessageType);
            all.Write(buffer, 0, received.Count);
        }
    }
}
