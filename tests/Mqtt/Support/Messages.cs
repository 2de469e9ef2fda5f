using System.Text;
using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Support;

internal static class Messages
{
    public static MqttMessage Message(string topic, string payload = "x", QoS qos = QoS.AtMostOnce, bool retain = false) =>
        new() { Topic = topic, Payload = Encoding.UTF8.GetBytes(payload), QoS = qos, Retain = retain };

    public static PublishPacket Publish(MqttMessage message, ushort packetId = 0, bool duplicate = false) =>
        new() { Message = message, PacketId = packetId, Duplicate = duplicate };

    public static ConnectPacket Connect(
        string clientId,
        ProtocolVersion version = ProtocolVersion.V5,
        bool cleanStart = true,
        LastWill? will = null,
        ushort keepAlive = 0,
        PacketProperties? properties = null) => new()
    {
        ClientId = clientId,
        Version = version,
        CleanStart = cleanStart,
        Will = will,
        KeepAliveSeconds = keepAlive,
        Properties = properties ?? PacketProperties.Empty,
    };

    /// <summary>A version 5 client that comes back to its session within <paramref name="expirySeconds"/>.</summary>
    public static ConnectPacket Keep(string clientId, uint expirySeconds = 1000, PacketProperties? properties = null)
    {
        properties ??= new PacketProperties();
        properties.SessionExpirySeconds = expirySeconds;
        return Connect(clientId, cleanStart: false, properties: properties);
    }

    public static string Text(this MqttMessage message) => Encoding.UTF8.GetString(message.Payload.Span);

    public static AckPacket Ack(PacketType type, ushort packetId, ReasonCode reason = ReasonCode.Success) =>
        new(type) { PacketId = packetId, Reason = reason };
}
