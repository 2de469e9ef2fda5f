using System.Net;
using System.Net.Sockets;
using EdgeFirmware.Mqtt.Packets;
using EdgeFirmware.Mqtt.Transport;

namespace EdgeFirmware.Mqtt.Tests.Support;

/// <summary>A socket and the codec, without any of a client's good manners: a test decides each packet.</summary>
internal sealed class RawClient : IDisposable
{
    private readonly Socket _socket;
    private readonly SocketWire _wire;
    private readonly ProtocolVersion _version;
    private readonly ReceiveBuffer _buffer = new();

    public RawClient(Socket socket, ProtocolVersion version)
    {
        _socket = socket;
        _wire = new SocketWire(socket);
        _version = version;
    }

    public static async Task<RawClient> OpenAsync(EndPoint address, ProtocolVersion version) =>
        new(await EndpointSocket.ConnectAsync(address, CancellationToken.None), version);

    /// <summary>The CONNACK that let it in.</summary>
    public ConnAckPacket Accepted { get; set; } = new();

    public static Task<RawClient> ConnectAsync(EndPoint address, string clientId, ProtocolVersion version) =>
        ConnectAsync(address, Messages.Connect(clientId, version));

    public static async Task<RawClient> ConnectAsync(EndPoint address, ConnectPacket connect)
    {
        var raw = await OpenAsync(address, connect.Version);
        await raw.SendAsync(connect);
        raw.Accepted = await raw.ReceiveAsync<ConnAckPacket>();
        Assert.Equal(ReasonCode.Success, raw.Accepted.Reason);
        return raw;
    }

    public Task SendAsync(params Packet[] packets) => SendAsync(packets.SelectMany(packet => Bytes.Of(packet, _version)).ToArray());

    public Task SendAsync(string hex) => SendAsync(Bytes.Of(hex));

    public async Task SendAsync(byte[] bytes)
    {
        for (var rest = bytes.AsMemory(); rest.Length > 0;) rest = rest[await _socket.SendAsync(rest)..];
    }

    /// <summary>The next packet; null when the broker closed the connection.</summary>
    public async Task<Packet?> ReceiveAsync()
    {
        var wanted = 0;
        while (true)
        {
            var status = Frame.TryRead(_buffer.Received, int.MaxValue, out var frame);
            if (status == FrameStatus.Complete)
            {
                var (reason, packet) = Bytes.Decode(_buffer.Received[..frame.TotalBytes], _version, int.MaxValue);
                Assert.Equal(ReasonCode.Success, reason);
                _buffer.Consume(frame.TotalBytes);
                return packet;
            }

            Assert.Equal(FrameStatus.Incomplete, status);
            wanted = frame.TotalBytes;
            try
            {
                if (await Within.Reason(_buffer.ReceiveAsync(_wire, wanted)) == 0) return null;
            }
            catch (SocketException reset) when (reset.SocketErrorCode == SocketError.ConnectionReset)
            {
                return null;
            }
        }
    }

    /// <summary>The next packet in hexadecimal, decoded and encoded again.</summary>
    public async Task<string> ReceiveHexAsync() => Convert.ToHexString(Bytes.Of((await ReceiveAsync())!, _version));

    public async Task<T> ReceiveAsync<T>()
        where T : Packet => Assert.IsType<T>(await ReceiveAsync());

    public async Task<AckPacket> ReceiveAckAsync(PacketType type)
    {
        var ack = await ReceiveAsync<AckPacket>();
        Assert.Equal(type, ack.Type);
        return ack;
    }

    /// <summary>A PINGREQ is answered at once, so nothing else was sent before it.</summary>
    public async Task NothingCameAsync()
    {
        await SendAsync(PingPacket.Request);
        var next = await ReceiveAsync();
        Assert.True(next is PingPacket { Type: PacketType.PingResp }, $"came: {next?.Type.ToString() ?? "the end"}");
    }

    /// <summary>The broker ends the connection, and says why to a version 5 client.</summary>
    public async Task EndsAsync(ReasonCode reason, string what = "")
    {
        if (_version == ProtocolVersion.V5)
        {
            var end = await ReceiveAsync();
            Assert.True(end is ReasonPacket { Type: PacketType.Disconnect } told && told.Reason == reason, $"{what}: {end?.Type} {(end as ReasonPacket)?.Reason}");
        }

        Assert.True(await ReceiveAsync() is null, what);
    }

    /// <summary>Publishes with QoS 1 and waits for the answer.</summary>
    public async Task<ReasonCode> PublishAsync(MqttMessage message)
    {
        await SendAsync(Messages.Publish(message with { QoS = QoS.AtLeastOnce }, 9998));
        return (await ReceiveAckAsync(PacketType.PubAck)).Reason;
    }

    public Task SubscribeAsync(string filter, QoS qos) => SubscribeAsync(filter, new SubscriptionOptions(qos));

    public async Task SubscribeAsync(string filter, SubscriptionOptions options, uint? identifier = null)
    {
        await SendAsync(new SubscribePacket
        {
            PacketId = 9999,
            Entries = [new SubscribeEntry(filter, options)],
            Properties = identifier is { } id ? new PacketProperties { SubscriptionIds = [id] } : PacketProperties.Empty,
        });
        Assert.False((await ReceiveAsync<SubAckPacket>()).Reasons[0].IsFailure());
    }

    public void Dispose() => _socket.Dispose();
}
