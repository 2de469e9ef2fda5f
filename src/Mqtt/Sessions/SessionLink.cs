using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Sessions;

/// <summary>What a session knows of the network connection it currently has. Lives as long as that connection.</summary>
internal sealed class SessionLink(IPacketOutput output, ProtocolVersion version)
{
    private Dictionary<string, ushort>? _aliases;

    public IPacketOutput Output => output;

    public ProtocolVersion Version => version;

    /// <summary>The client came back to a session it had, so it may release again what was released before.</summary>
    public bool Resumed { get; set; }

    /// <summary>Unacknowledged messages the client takes at once (MQTT 5 section 3.1.2.11.3).</summary>
    public int ReceiveMaximum { get; init; } = ushort.MaxValue;

    /// <summary>The largest packet the client takes.</summary>
    public uint PacketBytesMax { get; init; } = uint.MaxValue;

    /// <summary>Aliases that may be used towards the client.</summary>
    public int TopicAliasMax { get; init; }

    /// <summary>Writes a PUBLISH, with an alias for its topic while there are free ones: first come, first served.</summary>
    public bool TryPublish(OutgoingPublish publish)
    {
        if (TopicAliasMax == 0) return output.TryWritePublish(publish, PacketBytesMax);
        _aliases ??= new Dictionary<string, ushort>(StringComparer.Ordinal);
        var topic = publish.Message.Topic;
        if (_aliases.TryGetValue(topic, out var known))
        {
            // A short topic may be smaller than its alias.
            return output.TryWritePublish(WithAlias(publish, known, omitTopic: true), PacketBytesMax)
                || output.TryWritePublish(publish, PacketBytesMax);
        }

        if (_aliases.Count >= TopicAliasMax) return output.TryWritePublish(publish, PacketBytesMax);
        var alias = (ushort)(_aliases.Count + 1);
        if (!output.TryWritePublish(WithAlias(publish, alias, omitTopic: false), PacketBytesMax))
            return output.TryWritePublish(publish, PacketBytesMax);
        _aliases.Add(topic, alias);
        return true;
    }

    private static OutgoingPublish WithAlias(in OutgoingPublish publish, ushort alias, bool omitTopic) => new()
    {
        Message = publish.Message,
        QoS = publish.QoS,
        Retain = publish.Retain,
        Duplicate = publish.Duplicate,
        PacketId = publish.PacketId,
        Number = publish.Number,
        ExpirySeconds = publish.ExpirySeconds,
        SubscriptionIds = publish.SubscriptionIds,
        TopicAlias = alias,
        OmitTopic = omitTopic,
    };
}
