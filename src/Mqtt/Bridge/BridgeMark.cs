namespace EdgeFirmware.Mqtt.Bridge;

/// <summary>
/// Which brokers a message has passed on its way over bridges, as user properties of version 5: each bridge adds one when the message enters or
/// leaves its broker, and a broker drops what it finds its own name on. So a message makes no round, however the brokers are joined.
/// </summary>
internal static class BridgeMark
{
    /// <summary>On a message, once for each broker passed.</summary>
    public const string Passed = "edge-via";

    /// <summary>On CONNECT and CONNACK of a bridge: the name of the broker that says it.</summary>
    public const string Broker = "edge-bridge";

    /// <summary>More brokers than a site has in a row; what has passed as many goes no further.</summary>
    public const int PassedMax = 16;

    public static bool IsOn(MqttMessage message, string name)
    {
        foreach (var property in message.UserProperties)
        {
            if (property.Name == Passed && property.Value == name) return true;
        }

        return false;
    }

    public static bool IsExhausted(MqttMessage message)
    {
        var passed = 0;
        foreach (var property in message.UserProperties)
        {
            if (property.Name == Passed) passed++;
        }

        return passed >= PassedMax;
    }

    public static MqttMessage Add(MqttMessage message, string name) =>
        IsOn(message, name) ? message : message with { UserProperties = [.. message.UserProperties, new UserProperty(Passed, name)] };

    /// <summary>The other broker's name; null when it does not know of bridges.</summary>
    public static string? NameIn(IReadOnlyList<UserProperty> properties)
    {
        foreach (var property in properties)
        {
            if (property.Name == Broker) return property.Value;
        }

        return null;
    }
}
