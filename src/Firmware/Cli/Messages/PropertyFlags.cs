using System.Globalization;
using System.Text;
using EdgeFirmware.Mqtt;

namespace EdgeFirmware.Firmware.Cli.Messages;

/// <summary>What <c>-D</c> said, for the packets it may be said of.</summary>
internal sealed class PropertyFlags
{
    public bool Any { get; private set; }
    public bool SpeaksOfWill { get; private set; }

    /// <summary>Content, reply and lifetime of what is published; payload and topic are put in later.</summary>
    public MqttMessage Publish { get; private set; } = new() { Topic = string.Empty };

    public MqttMessage Will { get; private set; } = new() { Topic = string.Empty };
    public uint WillDelaySeconds { get; private set; }
    public ushort? ReceiveMaximum { get; private set; }
    public ushort TopicAliasMaximum { get; private set; }
    public int? PacketBytesMax { get; private set; }
    public bool? RequestProblemInformation { get; private set; }
    public bool RequestResponseInformation { get; private set; }
    public uint? SessionExpirySeconds { get; private set; }
    public List<UserProperty> Connect { get; } = [];
    public List<UserProperty> Subscribe { get; } = [];
    public uint? SubscriptionId { get; private set; }

    /// <param name="more">A user property's value is taken from it.</param>
    /// <exception cref="FormatException">The packet cannot have that property, or not with that value.</exception>
    public void Add(string packet, string name, string value, ref ReadOnlySpan<string> more)
    {
        Any = true;
        UserProperty? user = null;
        if (name == "user-property")
        {
            if (more.IsEmpty) throw new FormatException("a user-property has a name and a value");
            user = new UserProperty(value, more[0]);
            more = more[1..];
        }

        switch (packet.ToLowerInvariant())
        {
            case "connect" when user is { } property: Connect.Add(property); break;
            case "connect": AddConnect(name, value); break;
            case "publish": Publish = With(Publish, packet, name, value, user); break;
            case "will" when name == "will-delay-interval":
                SpeaksOfWill = true;
                WillDelaySeconds = Number(value, uint.MaxValue);
                break;
            case "will":
                SpeaksOfWill = true;
                Will = With(Will, packet, name, value, user);
                break;
            case "subscribe" when user is { } property: Subscribe.Add(property); break;
            case "subscribe" when name == "subscription-identifier":
                SubscriptionId = Number(value, 268_435_455) is > 0 and var id ? id : throw new FormatException("an identifier is not 0");
                break;
            default: throw Unknown(packet, name);
        }
    }

    private void AddConnect(string name, string value)
    {
        switch (name)
        {
            case "receive-maximum":
                ReceiveMaximum = (ushort)Number(value, ushort.MaxValue);
                if (ReceiveMaximum == 0) throw new FormatException("a receive-maximum is not 0");
                break;
            case "topic-alias-maximum": TopicAliasMaximum = (ushort)Number(value, ushort.MaxValue); break;
            case "maximum-packet-size": PacketBytesMax = (int)Math.Max(1, Number(value, int.MaxValue)); break;
            case "request-problem-information": RequestProblemInformation = Number(value, 1) == 1; break;
            case "request-response-information": RequestResponseInformation = Number(value, 1) == 1; break;
            case "session-expiry-interval": SessionExpirySeconds = Number(value, uint.MaxValue); break;
            default: throw Unknown("connect", name);
        }
    }

    private static MqttMessage With(MqttMessage message, string packet, string name, string value, UserProperty? user) => name switch
    {
        "user-property" => message with { UserProperties = [.. message.UserProperties, user!.Value] },
        "content-type" => message with { ContentType = value },
        "correlation-data" => message with { CorrelationData = Encoding.UTF8.GetBytes(value) },
        "message-expiry-interval" => message with { MessageExpirySeconds = Number(value, uint.MaxValue) },
        "payload-format-indicator" => message with { PayloadFormat = (byte)Number(value, 1) },
        "response-topic" => message with { ResponseTopic = value },
        _ => throw Unknown(packet, name),
    };

    private static uint Number(string text, uint most) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= most
            ? number
            : throw new FormatException($"'{text}' is not between 0 and {most}");

    private static FormatException Unknown(string packet, string name) => new($"{packet} has no property '{name}' that could be set here");
}
