namespace EdgeFirmware.Mqtt.Packets;

/// <summary>The topic aliases a peer has defined on one connection (MQTT 5 section 3.3.2.3.4).</summary>
/// <param name="aliasMax">The topic alias maximum the peer was told.</param>
internal sealed class AliasTable(int aliasMax)
{
    private string?[]? _topics;

    /// <summary>Learns the alias of a packet, or puts the topic in that it stands for.</summary>
    public ReasonCode Resolve(ref PublishPacket publish)
    {
        if (publish.TopicAlias is not { } alias) return ReasonCode.Success;
        if (alias == 0 || alias > aliasMax) return ReasonCode.TopicAliasInvalid;
        _topics ??= new string?[aliasMax + 1];
        if (publish.Message.Topic.Length > 0)
        {
            _topics[alias] = publish.Message.Topic;
            return ReasonCode.Success;
        }

        if (_topics[alias] is not { } topic) return ReasonCode.ProtocolError;
        publish = new PublishPacket
        {
            Message = publish.Message with { Topic = topic },
            Duplicate = publish.Duplicate,
            PacketId = publish.PacketId,
            Properties = publish.Properties,
        };
        return ReasonCode.Success;
    }
}
