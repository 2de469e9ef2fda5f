using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Fuzz;

/// <summary>Packets as a client might send them: mostly sensible, of few names so that they meet.</summary>
internal sealed class PacketMaker(Random random)
{
    private static readonly string[] Topics = ["a", "a/b", "a/b/c", "b", "b/c", "/", "a//b", "$x", "no/entry", "é/ü"];

    private static readonly string[] Filters =
        ["a", "a/+", "a/#", "#", "+", "+/+", "b/c", "$share/g/a/#", "$share/g/+", "$share/h/a", "$SYS/broker/clients/#", "a/+/c", "no/+", "é/#"];

    public ConnectPacket Connect()
    {
        var version = random.Next(3) == 0 ? ProtocolVersion.V311 : ProtocolVersion.V5;
        var hasUser = random.Next(4) == 0;
        return new ConnectPacket
        {
            Version = version,
            ClientId = random.Next(8) == 0 ? string.Empty : $"c{random.Next(5)}",
            CleanStart = random.Next(2) == 0,
            KeepAliveSeconds = (ushort)(random.Next(3) == 0 ? random.Next(1, 100) : 0),
            Will = random.Next(3) == 0 ? new LastWill(Message(version), version == ProtocolVersion.V5 ? (uint)random.Next(4) * 10 : 0) : null,
            UserName = hasUser ? "u" : null,
            Password = hasUser ? new byte[] { 1, 2 } : default(ReadOnlyMemory<byte>?),
            Properties = version == ProtocolVersion.V311 ? PacketProperties.Empty : new PacketProperties
            {
                SessionExpirySeconds = random.Next(3) == 0 ? null : (uint)random.Next(200),
                ReceiveMaximum = random.Next(3) == 0 ? (ushort)random.Next(1, 6) : null,
                MaximumPacketBytes = random.Next(6) == 0 ? (uint)random.Next(8, 300) : null,
                TopicAliasMaximum = random.Next(3) == 0 ? (ushort)random.Next(0, 6) : null,
                RequestProblemInformation = random.Next(5) == 0 ? false : null,
                UserProperties = Users(),
            },
        };
    }

    /// <param name="owed">Acknowledgements the client owes, of which one may be chosen.</param>
    public Packet Next(ProtocolVersion version, List<AckPacket> owed) => random.Next(20) switch
    {
        < 7 => Publish(version),
        < 12 when owed.Count > 0 => owed[random.Next(owed.Count)],
        < 14 => Ack((PacketType)random.Next((int)PacketType.PubAck, (int)PacketType.PubComp + 1), (ushort)random.Next(1, 8), version),
        < 17 => Subscribe(version),
        17 => new UnsubscribePacket { PacketId = Id(), Filters = [.. Some(() => Filters[random.Next(Filters.Length)])] },
        18 => PingPacket.Request,
        _ when random.Next(3) > 0 => Publish(version),
        _ when random.Next(4) == 0 => new ReasonPacket(PacketType.Auth) { Reason = ReasonCode.ReAuthenticate },
        _ => new ReasonPacket(PacketType.Disconnect)
        {
            Reason = version == ProtocolVersion.V5 && random.Next(2) == 0 ? ReasonCode.DisconnectWithWill : ReasonCode.Success,
            Properties = version == ProtocolVersion.V5 && random.Next(3) == 0 ? new() { SessionExpirySeconds = (uint)random.Next(100) } : new(),
        },
    };

    private PublishPacket Publish(ProtocolVersion version)
    {
        var message = Message(version);
        var properties = new PacketProperties();
        if (version == ProtocolVersion.V5)
        {
            properties.MessageExpirySeconds = message.MessageExpirySeconds;
            properties.UserProperties = message.UserProperties;
            properties.ResponseTopic = message.ResponseTopic;
            if (random.Next(4) == 0)
            {
                properties.TopicAlias = (ushort)random.Next(0, 6);
                if (random.Next(2) == 0) message = message with { Topic = string.Empty };
            }
        }

        var qos = message.QoS;
        return new PublishPacket
        {
            Message = message,
            PacketId = qos == QoS.AtMostOnce ? (ushort)0 : Id(),
            Duplicate = qos > 0 && random.Next(6) == 0,
            Properties = properties,
        };
    }

    private SubscribePacket Subscribe(ProtocolVersion version) => new()
    {
        PacketId = Id(),
        Entries = [.. Some(() => new SubscribeEntry(Filters[random.Next(Filters.Length)], Options(version)))],
        Properties = version == ProtocolVersion.V5 && random.Next(3) == 0 ? new() { SubscriptionIds = [(uint)random.Next(1, 300)] } : new(),
    };

    private SubscriptionOptions Options(ProtocolVersion version)
    {
        var qos = (QoS)random.Next(3);
        // No local on a shared subscription is an error, and wanted now and then.
        return version == ProtocolVersion.V311
            ? new SubscriptionOptions(qos)
            : new SubscriptionOptions(qos, random.Next(8) == 0, random.Next(4) == 0, (RetainHandling)random.Next(3));
    }

    private MqttMessage Message(ProtocolVersion version) => new()
    {
        Topic = Topics[random.Next(Topics.Length)],
        Payload = new byte[random.Next(40) == 0 ? random.Next(2000) : random.Next(12)],
        QoS = (QoS)random.Next(3),
        Retain = random.Next(5) == 0,
        MessageExpirySeconds = version == ProtocolVersion.V5 && random.Next(6) == 0 ? (uint)random.Next(60) : null,
        ResponseTopic = version == ProtocolVersion.V5 && random.Next(8) == 0 ? "r" : null,
        UserProperties = version == ProtocolVersion.V5 ? Users() : [],
    };

    private static AckPacket Ack(PacketType type, ushort id, ReasonCode reason) => new(type) { PacketId = id, Reason = reason };

    private AckPacket Ack(PacketType type, ushort id, ProtocolVersion version)
    {
        var refuses = version == ProtocolVersion.V5 && random.Next(4) == 0;
        var refusal = type is PacketType.PubAck or PacketType.PubRec ? ReasonCode.QuotaExceeded : ReasonCode.PacketIdentifierNotFound;
        return Ack(type, id, refuses ? refusal : ReasonCode.Success);
    }

    private ushort Id() => (ushort)(random.Next(30) == 0 ? random.Next(1, 65536) : random.Next(1, 12));

    private UserProperty[] Users() => random.Next(5) == 0 ? [new("k", "v"), new("k", "")] : [];

    private IEnumerable<T> Some<T>(Func<T> make)
    {
        for (var left = random.Next(4) == 0 ? random.Next(1, 5) : 1; left > 0; left--) yield return make();
    }
}
