using System.Text;
using EdgeFirmware.Mqtt.Topics;

namespace EdgeFirmware.Mqtt.Packets;

/// <summary>What an application hands in to be sent must be sayable in a packet: what comes from a peer is checked as it is decoded.</summary>
internal static class PacketText
{
    /// <summary>No U+0000, no half of a surrogate pair, at most 65535 bytes of UTF-8 [MQTT-1.5.4-1, MQTT-1.5.4-2].</summary>
    public static bool IsValid(ReadOnlySpan<char> text) =>
        !text.Contains('\0') && IsWellFormed(text) && (text.Length <= ushort.MaxValue / 3 || Encoding.UTF8.GetByteCount(text) <= ushort.MaxValue);

    /// <exception cref="ArgumentException">The topic is no topic name, or something else in the message cannot be said.</exception>
    public static void Check(MqttMessage message)
    {
        if (!IsTopicName(message.Topic)) throw Unsayable("Not a topic name.");
        if (message.ResponseTopic is { } response && !IsTopicName(response)) throw Unsayable("The response topic is no topic name.");
        if (!IsValid(message.ContentType)) throw Unsayable("The content type cannot be said in a packet.");
        if (message.CorrelationData?.Length > ushort.MaxValue) throw Unsayable("The correlation data is longer than 65535 bytes.");
        if (message.PayloadFormat > 1) throw Unsayable("There is no such payload format.");
        Check(message.UserProperties);
    }

    /// <exception cref="ArgumentException">A name or value cannot be said.</exception>
    public static void Check(IReadOnlyList<UserProperty> properties)
    {
        for (var i = 0; i < properties.Count; i++)
        {
            if (!IsValid(properties[i].Name) || !IsValid(properties[i].Value)) throw Unsayable("A user property cannot be said in a packet.");
        }
    }

    private static bool IsTopicName(string topic) => TopicName.IsValid(topic) && IsWellFormed(topic);

    private static ArgumentException Unsayable(string why) => new(why);

    private static bool IsWellFormed(ReadOnlySpan<char> text)
    {
        while (text.IndexOfAnyInRange('\uD800', '\uDFFF') is var at and >= 0)
        {
            if (at + 1 >= text.Length || !char.IsSurrogatePair(text[at], text[at + 1])) return false;
            text = text[(at + 2)..];
        }

        return true;
    }
}
