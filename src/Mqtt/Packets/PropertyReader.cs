namespace EdgeFirmware.Mqtt.Packets;

/// <summary>Decodes a property block: allowed here, at most once where the table says so, each value in its range.</summary>
internal static class PropertyReader
{
    public static PacketProperties Read(ref FieldReader reader, ulong allowed)
    {
        var length = reader.ReadVariable();
        if (length == 0 || reader.Failed) return PacketProperties.Empty;
        var block = reader.Slice(length);
        var properties = new PacketProperties();
        ulong seen = 0;
        while (block.Remaining > 0 && !block.Failed)
        {
            var id = block.ReadVariable();
            if (id > (uint)PropertyId.SharedAvailable || (allowed & (1UL << (int)id)) == 0)
            {
                block.Fail(ReasonCode.MalformedPacket);
                break;
            }

            ReadOne(ref block, (PropertyId)id, properties, seen);
            seen |= 1UL << (int)id;
        }

        if (block.Failed) reader.Fail(block.Error);
        return properties;
    }

    private static void ReadOne(ref FieldReader block, PropertyId id, PacketProperties into, ulong seen)
    {
        switch (id)
        {
            case PropertyId.UserProperty:
                if (into.UserProperties is not List<UserProperty> list) into.UserProperties = list = [];
                list.Add(new UserProperty(block.ReadString(), block.ReadString()));
                return;
            case PropertyId.SubscriptionIdentifier:
                into.SubscriptionIds = [.. into.SubscriptionIds ?? [], NotZero(ref block, block.ReadVariable())];
                return;
        }

        if ((seen & PropertyRules.Bit(id)) != 0)
        {
            block.Fail(ReasonCode.ProtocolError);
            return;
        }

        ReadSingle(ref block, id, into);
    }

    // One line for each row of table 2-4: longer than a method should be, but it is one thing.
    private static void ReadSingle(ref FieldReader block, PropertyId id, PacketProperties into)
    {
        switch (id)
        {
            case PropertyId.PayloadFormat: into.PayloadFormat = ReadBit(ref block) ? (byte)1 : (byte)0; break;
            case PropertyId.MessageExpiry: into.MessageExpirySeconds = block.ReadUInt32(); break;
            case PropertyId.ContentType: into.ContentType = block.ReadString(); break;
            case PropertyId.ResponseTopic: into.ResponseTopic = block.ReadString(); break;
            case PropertyId.CorrelationData: into.CorrelationData = block.ReadBinary(); break;
            case PropertyId.SessionExpiry: into.SessionExpirySeconds = block.ReadUInt32(); break;
            case PropertyId.AssignedClientId: into.AssignedClientId = block.ReadString(); break;
            case PropertyId.ServerKeepAlive: into.ServerKeepAliveSeconds = block.ReadUInt16(); break;
            case PropertyId.AuthenticationMethod: into.AuthenticationMethod = block.ReadString(); break;
            case PropertyId.AuthenticationData: into.AuthenticationData = block.ReadBinary(); break;
            case PropertyId.RequestProblemInformation: into.RequestProblemInformation = ReadBit(ref block); break;
            case PropertyId.WillDelay: into.WillDelaySeconds = block.ReadUInt32(); break;
            case PropertyId.RequestResponseInformation: into.RequestResponseInformation = ReadBit(ref block); break;
            case PropertyId.ResponseInformation: into.ResponseInformation = block.ReadString(); break;
            case PropertyId.ServerReference: into.ServerReference = block.ReadString(); break;
            case PropertyId.ReasonString: into.ReasonString = block.ReadString(); break;
            case PropertyId.ReceiveMaximum: into.ReceiveMaximum = (ushort)NotZero(ref block, block.ReadUInt16()); break;
            case PropertyId.TopicAliasMaximum: into.TopicAliasMaximum = block.ReadUInt16(); break;
            case PropertyId.TopicAlias: into.TopicAlias = block.ReadUInt16(); break;
            case PropertyId.MaximumQoS: into.MaximumQoS = ReadBit(ref block) ? (byte)1 : (byte)0; break;
            case PropertyId.RetainAvailable: into.RetainAvailable = ReadBit(ref block); break;
            case PropertyId.MaximumPacketSize: into.MaximumPacketBytes = NotZero(ref block, block.ReadUInt32()); break;
            case PropertyId.WildcardAvailable: into.WildcardAvailable = ReadBit(ref block); break;
            case PropertyId.SubscriptionIdentifierAvailable: into.SubscriptionIdentifierAvailable = ReadBit(ref block); break;
            case PropertyId.SharedAvailable: into.SharedAvailable = ReadBit(ref block); break;
            default: block.Fail(ReasonCode.MalformedPacket); break;
        }
    }

    private static bool ReadBit(ref FieldReader block)
    {
        var value = block.ReadByte();
        if (value > 1) block.Fail(ReasonCode.ProtocolError);
        return value == 1;
    }

    private static uint NotZero(ref FieldReader block, uint value)
    {
        if (value == 0) block.Fail(ReasonCode.ProtocolError);
        return value;
    }
}
