using System.Buffers.Binary;
using System.Text;

namespace EdgeFirmware.Mqtt.SensorNet;

/// <summary>
/// Datagrams to messages and back (MQTT-SN 1.2 section 5). A datagram is one message: its length must be said in it, in one byte or, after 0x01, in
/// three. Bad bytes are null, whatever is bad about them.
/// </summary>
internal static class SensorCodec
{
    public const byte ProtocolId = 1;

    private const byte LongLength = 1;
    private const int ShortHeaderBytes = 2;
    private const int LongHeaderBytes = 4;
    private const int DuplicateFlag = 0x80;
    private const int QoSShift = 5;
    private const int UnconnectedBits = 3;
    private const int RetainFlag = 0x10;
    private const int WillFlag = 0x08;
    private const int CleanFlag = 0x04;
    private const int TopicIdTypeMask = 0x03;

    /// <summary>What a type is made of, in the order of the bytes. The last two have no fixed length and come last.</summary>
    [Flags]
    private enum Fields
    {
        None,
        Number = 1,
        Flags = 2,
        Protocol = 4,
        Duration = 8,
        TopicId = 16,
        MessageId = 32,
        ReturnCode = 64,
        Text = 128,
        Data = 256,

        /// <summary>A name or, by the flags, an id.</summary>
        Topic = 512,

        /// <summary>All of it may be missing.</summary>
        Optional = 1024,
    }

    public static SensorPacket? Read(ReadOnlySpan<byte> datagram)
    {
        if (datagram.Length < ShortHeaderBytes) return null;
        var isLong = datagram[0] == LongLength;
        if (isLong && datagram.Length < LongHeaderBytes) return null;
        var length = isLong ? BinaryPrimitives.ReadUInt16BigEndian(datagram[1..]) : datagram[0];
        if (length != datagram.Length) return null;
        var body = datagram[(isLong ? LongHeaderBytes : ShortHeaderBytes)..];
        var type = (SensorPacketType)datagram[isLong ? 3 : 1];
        return FieldsOf(type) is { } fields ? Read(type, fields, body) : null;
    }

    public static byte[] Write(SensorPacket packet)
    {
        var fields = FieldsOf(packet.Type) ?? Fields.None;
        if ((fields & Fields.Optional) != 0 && packet.Text.Length == 0 && packet.Duration == 0) fields = Fields.None;
        var isId = packet.TopicIdType != TopicIdType.Normal;
        var bytes = FixedBytes(fields);
        if ((fields & Fields.Topic) != 0) bytes += isId ? 2 : Encoding.UTF8.GetByteCount(packet.Text);
        if ((fields & Fields.Text) != 0) bytes += Encoding.UTF8.GetByteCount(packet.Text);
        if ((fields & Fields.Data) != 0) bytes += packet.Data.Length;
        var isLong = bytes + ShortHeaderBytes > byte.MaxValue;
        var datagram = new byte[bytes + (isLong ? LongHeaderBytes : ShortHeaderBytes)];
        var rest = datagram.AsSpan();
        if (isLong)
        {
            rest[0] = LongLength;
            BinaryPrimitives.WriteUInt16BigEndian(rest[1..], checked((ushort)datagram.Length));
            rest = rest[3..];
        }
        else
        {
            rest[0] = (byte)datagram.Length;
            rest = rest[1..];
        }

        rest[0] = (byte)packet.Type;
        rest = rest[1..];
        if ((fields & Fields.Number) != 0) Put(ref rest, packet.Number);
        if ((fields & Fields.Flags) != 0) Put(ref rest, FlagsOf(packet));
        if ((fields & Fields.Protocol) != 0) Put(ref rest, ProtocolId);
        if ((fields & Fields.Duration) != 0) Put(ref rest, packet.Duration);
        if ((fields & Fields.TopicId) != 0) Put(ref rest, packet.TopicId);
        if ((fields & Fields.MessageId) != 0) Put(ref rest, packet.MessageId);
        if ((fields & Fields.ReturnCode) != 0) Put(ref rest, (byte)packet.ReturnCode);
        if ((fields & Fields.Topic) != 0 && isId) Put(ref rest, packet.TopicId);
        else if ((fields & (Fields.Topic | Fields.Text)) != 0) Encoding.UTF8.GetBytes(packet.Text, rest);
        else packet.Data.Span.CopyTo(rest);
        return datagram;
    }

    /// <summary>How long the datagram of a PUBLISH with so much payload is.</summary>
    public static int PublishBytes(int payloadBytes) => PacketBytes(5 + payloadBytes);

    /// <summary>How long the datagram of a REGISTER for the name is.</summary>
    public static int RegisterBytes(string name) => PacketBytes(4 + Encoding.UTF8.GetByteCount(name));

    /// <summary>The name that is its own id; null when the bytes are no topic name.</summary>
    public static string? ShortName(ushort topicId)
    {
        Span<byte> bytes = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, topicId);
        return TextOf(bytes);
    }

    /// <summary>The id that is the name; null when the name is not two bytes long.</summary>
    public static ushort? ShortId(string name)
    {
        Span<byte> bytes = stackalloc byte[2];
        return name.Length <= 2 && Encoding.UTF8.TryGetBytes(name, bytes, out var count) && count == 2 ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : null;
    }

    private static int PacketBytes(int bodyBytes) => bodyBytes + (bodyBytes + ShortHeaderBytes > byte.MaxValue ? LongHeaderBytes : ShortHeaderBytes);

    private static Fields? FieldsOf(SensorPacketType type) => type switch
    {
        SensorPacketType.Advertise => Fields.Number | Fields.Duration,
        SensorPacketType.SearchGateway => Fields.Number,
        SensorPacketType.GatewayInfo => Fields.Number | Fields.Data,
        SensorPacketType.Connect => Fields.Flags | Fields.Protocol | Fields.Duration | Fields.Text,
        SensorPacketType.WillTopic or SensorPacketType.WillTopicUpdate => Fields.Flags | Fields.Text | Fields.Optional,
        SensorPacketType.WillMessage or SensorPacketType.WillMessageUpdate => Fields.Data,
        SensorPacketType.Register => Fields.TopicId | Fields.MessageId | Fields.Text,
        SensorPacketType.RegAck or SensorPacketType.PubAck => Fields.TopicId | Fields.MessageId | Fields.ReturnCode,
        SensorPacketType.Publish => Fields.Flags | Fields.TopicId | Fields.MessageId | Fields.Data,
        SensorPacketType.PubComp or SensorPacketType.PubRec or SensorPacketType.PubRel or SensorPacketType.UnsubAck => Fields.MessageId,
        SensorPacketType.Subscribe or SensorPacketType.Unsubscribe => Fields.Flags | Fields.MessageId | Fields.Topic,
        SensorPacketType.SubAck => Fields.Flags | Fields.TopicId | Fields.MessageId | Fields.ReturnCode,
        SensorPacketType.PingReq => Fields.Text,
        SensorPacketType.Disconnect => Fields.Duration | Fields.Optional,
        SensorPacketType.ConnAck or SensorPacketType.WillTopicResponse or SensorPacketType.WillMessageResponse => Fields.ReturnCode,
        SensorPacketType.WillTopicRequest or SensorPacketType.WillMessageRequest or SensorPacketType.PingResp => Fields.None,
        _ => null,
    };

    private static int FixedBytes(Fields fields)
    {
        var bytes = 0;
        if ((fields & Fields.Number) != 0) bytes++;
        if ((fields & Fields.Flags) != 0) bytes++;
        if ((fields & Fields.Protocol) != 0) bytes++;
        if ((fields & Fields.ReturnCode) != 0) bytes++;
        if ((fields & Fields.Duration) != 0) bytes += 2;
        if ((fields & Fields.TopicId) != 0) bytes += 2;
        if ((fields & Fields.MessageId) != 0) bytes += 2;
        return bytes;
    }

    private static SensorPacket? Read(SensorPacketType type, Fields fields, ReadOnlySpan<byte> body)
    {
        if ((fields & Fields.Optional) != 0 && body.IsEmpty) return new SensorPacket(type);
        var rest = body.Length - FixedBytes(fields);
        if (rest < 0 || (rest > 0 && (fields & (Fields.Text | Fields.Data | Fields.Topic)) == 0)) return null;
        byte number = (fields & Fields.Number) != 0 ? Byte(ref body) : (byte)0;
        int flags = (fields & Fields.Flags) != 0 ? Byte(ref body) : 0;
        if ((fields & Fields.Protocol) != 0) number = Byte(ref body);
        var duration = (fields & Fields.Duration) != 0 ? Short(ref body) : (ushort)0;
        var topicId = (fields & Fields.TopicId) != 0 ? Short(ref body) : (ushort)0;
        var messageId = (fields & Fields.MessageId) != 0 ? Short(ref body) : (ushort)0;
        byte code = (fields & Fields.ReturnCode) != 0 ? Byte(ref body) : (byte)0;
        var idType = (TopicIdType)(flags & TopicIdTypeMask);
        if (idType > TopicIdType.Short || code > (byte)SensorReturnCode.NotSupported) return null;
        var text = "";
        if ((fields & Fields.Topic) != 0 && idType != TopicIdType.Normal)
        {
            if (body.Length != 2) return null;
            topicId = Short(ref body);
        }
        else if ((fields & (Fields.Topic | Fields.Text)) != 0)
        {
            if (TextOf(body) is not { } read) return null;
            text = read;
        }

        var qos = (flags >> QoSShift) & UnconnectedBits;
        if (qos == UnconnectedBits && type != SensorPacketType.Publish) return null;
        return new SensorPacket(type)
        {
            Number = number,
            Duplicate = (flags & DuplicateFlag) != 0,
            QoS = qos == UnconnectedBits ? QoS.AtMostOnce : (QoS)qos,
            IsUnconnected = qos == UnconnectedBits,
            Retain = (flags & RetainFlag) != 0,
            HasWill = (flags & WillFlag) != 0,
            CleanSession = (flags & CleanFlag) != 0,
            TopicIdType = idType,
            Duration = duration,
            TopicId = topicId,
            MessageId = messageId,
            ReturnCode = (SensorReturnCode)code,
            Text = text,
            Data = (fields & Fields.Data) != 0 ? body.ToArray() : default,
        };
    }

    private static byte FlagsOf(SensorPacket packet)
    {
        var flags = (int)packet.TopicIdType | ((packet.IsUnconnected ? UnconnectedBits : (int)packet.QoS) << QoSShift);
        if (packet.Duplicate) flags |= DuplicateFlag;
        if (packet.Retain) flags |= RetainFlag;
        if (packet.HasWill) flags |= WillFlag;
        if (packet.CleanSession) flags |= CleanFlag;
        return (byte)flags;
    }

    /// <summary>Null when it is not UTF-8, or has a U+0000.</summary>
    private static string? TextOf(ReadOnlySpan<byte> bytes)
    {
        if (!System.Text.Unicode.Utf8.IsValid(bytes) || bytes.Contains((byte)0)) return null;
        return Encoding.UTF8.GetString(bytes);
    }

    private static byte Byte(ref ReadOnlySpan<byte> body)
    {
        var value = body[0];
        body = body[1..];
        return value;
    }

    private static ushort Short(ref ReadOnlySpan<byte> body)
    {
        var value = BinaryPrimitives.ReadUInt16BigEndian(body);
        body = body[2..];
        return value;
    }

    private static void Put(ref Span<byte> rest, byte value)
    {
        rest[0] = value;
        rest = rest[1..];
    }

    private static void Put(ref Span<byte> rest, ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(rest, value);
        rest = rest[2..];
    }
}
