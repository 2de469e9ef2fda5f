using EdgeFirmware.Contracts.Messaging;
using EdgeFirmware.Mqtt;

namespace EdgeFirmware.Firmware.Broker;

/// <summary>The broker's message and the one that travels between nodes say the same.</summary>
internal static class MessageMapping
{
    public static SensorMessage ToSensorMessage(MqttMessage message) => new(
        message.Topic, message.Payload, (byte)message.QoS, message.Retain, message.ContentType, message.ResponseTopic,
        message.CorrelationData ?? default,
        Pairs(message.UserProperties));

    public static MqttMessage ToMqttMessage(SensorMessage message) => new()
    {
        Topic = message.Topic,
        Payload = message.Payload,
        QoS = (QoS)message.Qos,
        Retain = message.Retain,
        ContentType = message.ContentType,
        ResponseTopic = message.ResponseTopic,
        CorrelationData = message.CorrelationData.Length == 0 ? null : message.CorrelationData,
        UserProperties = Properties(message.UserProperties),
    };

    // Loops, not Select: LINQ over structs is what makes a Native AOT binary large.
    private static List<KeyValuePair<string, string>>? Pairs(IReadOnlyList<UserProperty> properties)
    {
        if (properties.Count == 0)
            return null;
        var pairs = new List<KeyValuePair<string, string>>(properties.Count);
        foreach (var property in properties)
            pairs.Add(KeyValuePair.Create(property.Name, property.Value));
        return pairs;
    }

    private static List<UserProperty> Properties(IReadOnlyList<KeyValuePair<string, string>>? pairs)
    {
        var properties = new List<UserProperty>(pairs?.Count ?? 0);
        foreach (var (name, value) in pairs ?? [])
            properties.Add(new UserProperty(name, value));
        return properties;
    }
}
