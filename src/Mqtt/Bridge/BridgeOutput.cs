using EdgeFirmware.Mqtt.Client;
using EdgeFirmware.Mqtt.Packets;
using EdgeFirmware.Mqtt.Sessions;

namespace EdgeFirmware.Mqtt.Bridge;

/// <summary>What a bridge's session writes to: gives each message its name on the other side and the mark of this broker.</summary>
/// <param name="identity">This broker's name on messages.</param>
/// <param name="keepsRetain">The other broker takes retained messages.</param>
internal sealed class BridgeOutput(ClientConnection connection, TopicMap map, string identity, bool keepsRetain, ProtocolVersion version) : IPacketOutput
{
    public int UnsentBytes => connection.UnsentBytes;

    public void Write(Packet packet) => connection.Write(packet);

    public bool TryWrite(Packet packet) => connection.TryWrite(packet);

    public void WriteAck(PacketType type, ushort packetId, ReasonCode reason) => connection.WriteAck(type, packetId, reason);

    public bool TryWritePublish(in OutgoingPublish publish, uint packetBytesMax)
    {
        var message = publish.Message;
        // A topic that has left the configuration while it waited keeps its name.
        var topic = map.ToRemote(message.Topic) ?? message.Topic;
        if (topic != message.Topic) message = message with { Topic = topic };
        if (version == ProtocolVersion.V5) message = BridgeMark.Add(message, identity);
        return connection.TryWritePublish(
            new OutgoingPublish
            {
                Message = message,
                QoS = publish.QoS,
                Retain = publish.Retain && keepsRetain,
                Duplicate = publish.Duplicate,
                PacketId = publish.PacketId,
                ExpirySeconds = publish.ExpirySeconds,
                TopicAlias = publish.TopicAlias,
                OmitTopic = publish.OmitTopic,
            },
            packetBytesMax);
    }

    public void AwaitCommit() => connection.AwaitCommit();

    public bool NotifyWhenSent() => connection.NotifyWhenSent();

    public void Flush() => connection.Flush();

    public void Abort(ReasonCode reason, PacketProperties? explanation = null) => connection.Dispose();
}
