namespace EdgeFirmware.Mqtt.Packets;

/// <summary>PUBLISH as received (MQTT 5 section 3.3). What is sent is an <see cref="OutgoingPublish"/>.</summary>
internal sealed class PublishPacket : Packet
{
    public override PacketType Type => PacketType.Publish;

    /// <summary>The topic is empty when <see cref="TopicAlias"/> stands for it.</summary>
    public required MqttMessage Message { get; init; }

    public bool Duplicate { get; init; }

    /// <summary>0 for QoS 0.</summary>
    public ushort PacketId { get; init; }

    public ushort? TopicAlias => Properties.TopicAlias;
}
