using System.Net;
using System.Net.Sockets;
using EdgeFirmware.Mqtt.SensorNet;

namespace EdgeFirmware.Mqtt.Tests.SensorNet;

/// <summary>A sensor's side of a real UDP socket, message by message.</summary>
internal sealed class RawSensor : IDisposable
{
    private readonly Socket _socket;
    private readonly byte[] _buffer = new byte[4096];

    public RawSensor(IPEndPoint gateway)
    {
        _socket = new Socket(gateway.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        _socket.Connect(gateway);
    }

    public IPEndPoint Address => (IPEndPoint)_socket.LocalEndPoint!;

    public void Send(string hex) => _socket.Send(Bytes.Of(hex));

    public void Send(byte[] datagram) => _socket.Send(datagram);

    public void Send(SensorPacket packet) => Send(SensorCodec.Write(packet));

    public void Send(SensorPacketType type, string text = "", ushort messageId = 0, QoS qos = default) =>
        Send(new SensorPacket(type) { Text = text, MessageId = messageId, QoS = qos });

    public void Publish(TopicIdType type, ushort topicId, string payload, QoS qos = default, ushort messageId = 0, bool duplicate = false, bool retain = false) => Send(
        new SensorPacket(SensorPacketType.Publish)
        {
            TopicIdType = type, TopicId = topicId, MessageId = messageId, QoS = qos, Duplicate = duplicate, Retain = retain,
            Data = System.Text.Encoding.UTF8.GetBytes(payload),
        });

    /// <summary>The next message, in the words of <see cref="SensorUnderTest.TextOf(SensorPacket)"/>, and its payload.</summary>
    public async Task<string> HearAsync()
    {
        var packet = await ReceiveAsync();
        var text = SensorUnderTest.TextOf(packet);
        return packet.Type == SensorPacketType.Publish ? $"{text}: {System.Text.Encoding.UTF8.GetString(packet.Data.Span)}" : text;
    }

    public async Task<SensorPacket> ReceiveAsync()
    {
        var length = await Within.Reason(_socket.ReceiveAsync(_buffer));
        var packet = SensorCodec.Read(_buffer.AsSpan(0, length));
        Assert.NotNull(packet);
        return packet;
    }

    /// <summary>Answers to what was sent before would have come by now.</summary>
    public bool HearsNothing => _socket.Available == 0;

    public async Task<RawSensor> ConnectAsync(string id, bool clean = true, ushort keepAlive = 60, string expected = "ConnAck")
    {
        Send(SensorUnderTest.Connect(id, clean: clean, keepAlive: keepAlive));
        Assert.Equal(expected, await HearAsync());
        return this;
    }

    public async Task SubscribeAsync(string filter, QoS qos = QoS.AtLeastOnce)
    {
        Send(SensorPacketType.Subscribe, filter, 77, qos);
        Assert.Equal(SensorPacketType.SubAck, (await ReceiveAsync()).Type);
    }

    /// <summary>Acknowledges a message of QoS 1 as it comes.</summary>
    public async Task<string> TakeAsync()
    {
        var text = "";
        while (true)
        {
            var packet = await ReceiveAsync();
            switch (packet.Type)
            {
                case SensorPacketType.Register:
                    Send(new SensorPacket(SensorPacketType.RegAck) { TopicId = packet.TopicId, MessageId = packet.MessageId });
                    text = $"{packet.Text} ";
                    break;
                case SensorPacketType.Publish:
                    if (packet.QoS == QoS.AtLeastOnce) Send(new SensorPacket(SensorPacketType.PubAck) { TopicId = packet.TopicId, MessageId = packet.MessageId });
                    return text + System.Text.Encoding.UTF8.GetString(packet.Data.Span);
                default:
                    return packet.Type.ToString();
            }
        }
    }

    public void Dispose() => _socket.Dispose();
}
