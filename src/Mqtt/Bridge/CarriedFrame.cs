using EdgeFirmware.Mqtt.Packets;
using EdgeFirmware.Mqtt.Topics;

namespace EdgeFirmware.Mqtt.Bridge;

/// <summary>
/// A PUBLISH as it is carried between nodes: no more than differs from the one before it in its lane. In this order, as far as the first byte says:
/// <code>
/// flags      bits 0-1 QoS, 2 retain, 3 begin, 4 properties, 5 topic, 6 alias, 7 whole number
/// stream     16 bytes, with "begin": whose numbers these are; aliases and numbers begin anew
/// number     QoS 1 and 2. 8 bytes with "whole number"; otherwise what it is more than the last one, a variable byte integer
/// alias      a variable byte integer; with "topic" it is given to that, without it stands for it
/// topic      UTF-8 with a length of 2 bytes
/// properties as in a PUBLISH of MQTT 5
/// payload    the rest
/// </code>
/// </summary>
internal readonly struct CarriedFrame
{
    private const int Retained = 4, Begins = 8, HasProperties = 16, HasTopic = 32, HasAlias = 64, IsWhole = 128;

    /// <summary>The most that a number may be above the last one without being said whole.</summary>
    private const long StepMax = 1 << 20;

    /// <summary>Null: it goes on.</summary>
    public Guid? Stream { get; private init; }

    /// <summary>0: it has none.</summary>
    public long Number { get; private init; }

    /// <summary>0: none.</summary>
    public ushort Alias { get; private init; }

    /// <summary>Its topic is empty where the alias stands for it.</summary>
    public MqttMessage Message { get; private init; }

    public CarriedFrame With(string topic) => new() { Stream = Stream, Number = Number, Alias = Alias, Message = Message with { Topic = topic } };

    /// <param name="topic">What it is called over there.</param>
    /// <param name="stream">Given with the first message of a lane.</param>
    /// <param name="number">0: none is to be told apart by it.</param>
    /// <param name="last">The number told before in this lane, moved on.</param>
    public static byte[] Encode(in OutgoingPublish publish, string topic, Guid? stream, long number, ref long last)
    {
        var output = new OutputBuffer();
        try
        {
            var message = publish.Message;
            var isNumbered = publish.QoS != QoS.AtMostOnce;
            var step = number - last;
            var isWhole = isNumbered && (step is < 1 or > StepMax || stream is not null);
            var hasProperties = publish.ExpirySeconds is not null || message.PayloadFormat is not null || message.ContentType is not null
                || message.ResponseTopic is not null || message.CorrelationData is not null || message.UserProperties.Count > 0;
            var hasTopic = !publish.OmitTopic;
            var hasAlias = publish.TopicAlias != 0;
            output.WriteByte((byte)((int)publish.QoS | (publish.Retain ? Retained : 0) | (stream is not null ? Begins : 0) | (hasProperties ? HasProperties : 0)
                | (hasTopic ? HasTopic : 0) | (hasAlias ? HasAlias : 0) | (isWhole ? IsWhole : 0)));
            if (stream is { } begun) output.WriteBytes(begun.ToByteArray(bigEndian: true));
            if (isWhole)
            {
                output.WriteUInt32((uint)(number >> 32));
                output.WriteUInt32((uint)number);
            }
            else if (isNumbered)
            {
                output.WriteVariable((uint)step);
            }

            if (isNumbered) last = number;
            if (hasAlias) output.WriteVariable(publish.TopicAlias);
            if (hasTopic) output.WriteString(topic);
            if (hasProperties)
                PropertyWriter.Write(output, new OutgoingPublish { Message = message, ExpirySeconds = publish.ExpirySeconds });
            output.WriteBytes(message.Payload.Span);
            return output.Written.ToArray();
        }
        finally
        {
            output.Clear();
        }
    }

    /// <summary>False: these are no such bytes.</summary>
    /// <param name="last">The number told before in this lane, moved on.</param>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, ref long last, out CarriedFrame frame)
    {
        frame = default;
        var reader = new FieldReader(bytes);
        var flags = reader.ReadByte();
        var qos = flags & 3;
        Guid? stream = (flags & Begins) != 0 && reader.ReadBytes(16) is { Length: 16 } id ? new Guid(id, bigEndian: true) : null;
        if ((flags & Begins) != 0) last = 0;
        long number = 0;
        if (qos != 0)
            number = (flags & IsWhole) != 0 ? ((long)reader.ReadUInt32() << 32) | reader.ReadUInt32() : last + reader.ReadVariable();
        var alias = (flags & HasAlias) != 0 ? reader.ReadVariable() : 0;
        var topic = (flags & HasTopic) != 0 ? reader.ReadString() : "";
        var properties = (flags & HasProperties) != 0 ? PropertyReader.Read(ref reader, PropertyRules.For(PacketType.Publish)) : PacketProperties.Empty;
        if (qos == 3 || number < 0 || alias > ushort.MaxValue || (alias == 0) == ((flags & HasAlias) != 0) || (topic.Length == 0 && alias == 0) || (topic.Length == 0) == ((flags & HasTopic) != 0))
            return false;
        if (topic.Length > 0 && !TopicName.IsValid(topic)) return false;
        if (properties.ResponseTopic is { } response && !TopicName.IsValid(response)) return false;
        if (properties.TopicAlias is not null || properties.SubscriptionIds is not null) return false;
        var payload = reader.ReadRest();
        if (reader.Failed) return false;
        if (qos != 0) last = number;
        frame = new CarriedFrame
        {
            Stream = stream, Number = number, Alias = (ushort)alias,
            Message = PacketDecoder.ToMessage(topic, payload, (QoS)qos, (flags & Retained) != 0, properties),
        };
        return true;
    }
}
