using EdgeFirmware.Mqtt.Packets;
using EdgeFirmware.Mqtt.SensorNet;

namespace EdgeFirmware.Mqtt.Tests.SensorNet;

/// <summary>One <see cref="SensorClient"/> on a clock of its own, between a sensor and a session that the test plays.</summary>
internal sealed class SensorUnderTest
{
    public const ushort FirstId = 100;

    public SensorUnderTest(SensorPacket? connect = null, Action<SensorNetOptions>? change = null)
    {
        Options = new SensorNetOptions { Admit = _ => null, PredefinedTopics = [new PredefinedTopic(7, "pre/defined")] };
        change?.Invoke(Options);
        var topics = new SensorTopics(new PredefinedTopics(Options.PredefinedTopics), Options.TopicsMax, FirstId);
        Client = new SensorClient(Options, topics, connect ?? Connect(), Now);
    }

    public SensorNetOptions Options { get; }

    public SensorClient Client { get; }

    public TimeSpan Now { get; private set; }

    public static SensorPacket Connect(string id = "c1", bool will = false, bool clean = true, ushort keepAlive = 60) =>
        new(SensorPacketType.Connect) { Text = id, HasWill = will, CleanSession = clean, Duration = keepAlive, Number = SensorCodec.ProtocolId };

    /// <summary>One that was let in.</summary>
    public static SensorUnderTest Connected(ushort keepAlive = 60, Action<SensorNetOptions>? change = null)
    {
        var sensor = new SensorUnderTest(Connect(keepAlive: keepAlive), change);
        sensor.Client.Requests.Clear();
        sensor.Client.Accept(null, sensor.Now);
        sensor.Client.Outbox.Clear();
        return sensor;
    }

    public SensorUnderTest Hears(SensorPacket packet)
    {
        Client.Handle(packet, Now);
        return this;
    }

    public SensorUnderTest Hears(SensorPacketType type, ushort messageId = 0, ushort topicId = 0, SensorReturnCode code = default) =>
        Hears(new SensorPacket(type) { MessageId = messageId, TopicId = topicId, ReturnCode = code });

    /// <summary>Each second passes.</summary>
    public SensorUnderTest After(int seconds)
    {
        for (; seconds > 0; seconds--)
        {
            Now += TimeSpan.FromSeconds(1);
            Client.Advance(Now);
        }

        return this;
    }

    public bool Deliver(string topic, QoS qos = QoS.AtMostOnce, ushort packetId = 0, bool duplicate = false, int bytes = 1) => Client.Deliver(
        new OutgoingPublish { Message = Messages.Message(topic, new string('x', bytes), qos), QoS = qos, PacketId = packetId, Duplicate = duplicate }, Now);

    /// <summary>What the sensor was told since it was last asked.</summary>
    public string Says()
    {
        var said = new List<string>();
        while (Client.Outbox.TryDequeue(out var packet)) said.Add(TextOf(packet));
        return string.Join(", ", said);
    }

    /// <summary>What was asked of the session since.</summary>
    public string Asks()
    {
        var asked = new List<string>();
        while (Client.Requests.TryDequeue(out var packet)) asked.Add(TextOf(packet));
        return string.Join(", ", asked);
    }

    public static string TextOf(SensorPacket packet)
    {
        var text = packet.Type.ToString();
        if (packet.TopicId != 0) text += packet.TopicIdType == TopicIdType.Short ? $" '{SensorCodec.ShortName(packet.TopicId)}'" : $" t{packet.TopicId}";
        if (packet.MessageId != 0) text += $" #{packet.MessageId}";
        if (packet.QoS != QoS.AtMostOnce) text += $" q{(int)packet.QoS}";
        if (packet.Duplicate) text += " again";
        if (packet.Retain) text += " retained";
        if (packet.Text.Length > 0) text += $" {packet.Text}";
        if (packet.ReturnCode != SensorReturnCode.Accepted) text += $" {packet.ReturnCode}";
        return text;
    }

    private static string TextOf(LastWill? will) => will is null ? "" : $" will {will.Message.Topic}={will.Message.Text()}";

    private static string TextOf(Packet packet) => packet switch
    {
        PublishPacket publish => $"Publish {publish.Message.Topic} #{publish.PacketId} q{(int)publish.Message.QoS}",
        AckPacket ack => $"{ack.Type} #{ack.PacketId}{(ack.Reason.IsFailure() ? $" {ack.Reason}" : "")}",
        SubscribePacket subscribe => $"Subscribe {subscribe.Entries[0].Filter} #{subscribe.PacketId} q{(int)subscribe.Entries[0].Options.MaximumQoS}",
        UnsubscribePacket unsubscribe => $"Unsubscribe {unsubscribe.Filters[0]} #{unsubscribe.PacketId}",
        ConnectPacket connect => $"Connect {connect.ClientId}{(connect.CleanStart ? " clean" : "")}{TextOf(connect.Will)}",
        ReasonPacket reason => $"{reason.Type} {reason.Reason}",
        _ => packet.Type.ToString(),
    };
}
