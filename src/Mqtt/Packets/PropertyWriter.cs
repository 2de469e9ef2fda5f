namespace EdgeFirmware.Mqtt.Packets;

/// <summary>Encodes property blocks. The caller is trusted to set only properties the packet may carry.</summary>
internal static class PropertyWriter
{
    public static void Write(OutputBuffer output, PacketProperties properties)
    {
        if (ReferenceEquals(properties, PacketProperties.Empty))
        {
            output.WriteByte(0);
            return;
        }

        var mark = output.BeginLength();
        UInt32(output, PropertyId.SessionExpiry, properties.SessionExpirySeconds);
        String(output, PropertyId.AssignedClientId, properties.AssignedClientId);
        UInt16(output, PropertyId.ServerKeepAlive, properties.ServerKeepAliveSeconds);
        String(output, PropertyId.AuthenticationMethod, properties.AuthenticationMethod);
        Binary(output, PropertyId.AuthenticationData, properties.AuthenticationData);
        Bit(output, PropertyId.RequestProblemInformation, properties.RequestProblemInformation);
        Bit(output, PropertyId.RequestResponseInformation, properties.RequestResponseInformation);
        String(output, PropertyId.ResponseInformation, properties.ResponseInformation);
        String(output, PropertyId.ServerReference, properties.ServerReference);
        String(output, PropertyId.ReasonString, properties.ReasonString);
        UInt16(output, PropertyId.ReceiveMaximum, properties.ReceiveMaximum);
        UInt16(output, PropertyId.TopicAliasMaximum, properties.TopicAliasMaximum);
        UInt16(output, PropertyId.TopicAlias, properties.TopicAlias);
        Byte(output, PropertyId.MaximumQoS, properties.MaximumQoS);
        Bit(output, PropertyId.RetainAvailable, properties.RetainAvailable);
        UInt32(output, PropertyId.MaximumPacketSize, properties.MaximumPacketBytes);
        Bit(output, PropertyId.WildcardAvailable, properties.WildcardAvailable);
        Bit(output, PropertyId.SubscriptionIdentifierAvailable, properties.SubscriptionIdentifierAvailable);
        Bit(output, PropertyId.SharedAvailable, properties.SharedAvailable);
        SubscriptionIds(output, properties.SubscriptionIds);
        Users(output, properties.UserProperties);
        output.EndLength(mark);
    }

    /// <summary>The block of a will: the message's properties and its delay.</summary>
    public static void Write(OutputBuffer output, LastWill will)
    {
        var mark = output.BeginLength();
        UInt32(output, PropertyId.WillDelay, will.DelaySeconds == 0 ? null : will.DelaySeconds);
        Message(output, will.Message, will.Message.MessageExpirySeconds);
        output.EndLength(mark);
    }

    /// <summary>The block of a PUBLISH.</summary>
    public static void Write(OutputBuffer output, in OutgoingPublish publish)
    {
        var mark = output.BeginLength();
        UInt16(output, PropertyId.TopicAlias, publish.TopicAlias == 0 ? null : publish.TopicAlias);
        SubscriptionIds(output, publish.SubscriptionIds);
        Message(output, publish.Message, publish.ExpirySeconds);
        output.EndLength(mark);
    }

    private static void Message(OutputBuffer output, MqttMessage message, uint? expirySeconds)
    {
        Byte(output, PropertyId.PayloadFormat, message.PayloadFormat);
        UInt32(output, PropertyId.MessageExpiry, expirySeconds);
        String(output, PropertyId.ContentType, message.ContentType);
        String(output, PropertyId.ResponseTopic, message.ResponseTopic);
        Binary(output, PropertyId.CorrelationData, message.CorrelationData);
        Users(output, message.UserProperties);
    }

    private static void Users(OutputBuffer output, IReadOnlyList<UserProperty> properties)
    {
        for (var i = 0; i < properties.Count; i++)
        {
            output.WriteByte((byte)PropertyId.UserProperty);
            output.WriteString(properties[i].Name);
            output.WriteString(properties[i].Value);
        }
    }

    private static void SubscriptionIds(OutputBuffer output, uint[]? ids)
    {
        foreach (var id in ids ?? [])
        {
            output.WriteByte((byte)PropertyId.SubscriptionIdentifier);
            output.WriteVariable(id);
        }
    }

    private static void Bit(OutputBuffer output, PropertyId id, bool? value) => Byte(output, id, value is { } bit ? (byte)(bit ? 1 : 0) : null);

    private static void Byte(OutputBuffer output, PropertyId id, byte? value)
    {
        if (value is not { } present) return;
        output.WriteByte((byte)id);
        output.WriteByte(present);
    }

    private static void UInt16(OutputBuffer output, PropertyId id, ushort? value)
    {
        if (value is not { } present) return;
        output.WriteByte((byte)id);
        output.WriteUInt16(present);
    }

    private static void UInt32(OutputBuffer output, PropertyId id, uint? value)
    {
        if (value is not { } present) return;
        output.WriteByte((byte)id);
        output.WriteUInt32(present);
    }

    private static void String(OutputBuffer output, PropertyId id, string? value)
    {
        if (value is null) return;
        output.WriteByte((byte)id);
        output.WriteString(value);
    }

    private static void Binary(OutputBuffer output, PropertyId id, ReadOnlyMemory<byte>? value)
    {
        if (value is not { } present) return;
        output.WriteByte((byte)id);
        output.WriteBinary(present.Span);
    }
}
