using EdgeFirmware.Mqtt.Packets;
using EdgeFirmware.Mqtt.SensorNet;
using EdgeFirmware.Mqtt.Tests.SensorNet;

namespace EdgeFirmware.Mqtt.Tests.Fuzz;

/// <summary>Datagrams that are nearly MQTT-SN, to the codec and to one sensor's state machine.</summary>
public sealed class SensorFuzzTests
{
    private const int PerSeed = 1000;
    private const int TopicsMax = 8;

    [Fact]
    public void No_bytes_make_the_reader_throw_and_what_it_accepts_it_can_write() => FuzzCampaign.Run("sensors", FuzzCampaign.Count(20_000), seed =>
    {
        var random = new Random(seed);
        for (var i = 0; i < PerSeed; i++)
        {
            var bytes = SensorNoise.Next(random);
            if (SensorCodec.Read(bytes) is not { } packet) continue;
            var written = SensorCodec.Write(packet);
            Assert.True(SensorCodec.Read(written) is not null, $"{Convert.ToHexString(bytes)} became {Convert.ToHexString(written)}");
        }

        return PerSeed;
    });

    [Fact]
    public void Whatever_comes_a_sensor_stays_within_its_limits() => FuzzCampaign.Run("sensors", FuzzCampaign.Count(50_000), seed =>
    {
        var random = new Random(seed);
        var sensor = new SensorUnderTest(SensorUnderTest.Connect(will: random.Next(2) == 0), options => options.TopicsMax = TopicsMax);
        for (var i = 0; i < PerSeed && sensor.Client.State != SensorState.Gone; i++)
        {
            if (SensorCodec.Read(SensorNoise.Next(random)) is { Type: not SensorPacketType.Connect } packet) sensor.Hears(packet);
            if (sensor.Client.CanTake) sensor.Deliver($"t/{random.Next(20)}", (QoS)random.Next(3), (ushort)random.Next(1, 9));
            while (sensor.Client.Requests.TryDequeue(out var request)) Answer(sensor, request, random);
            sensor.After(random.Next(3)).Client.Rest(sensor.Now);
            Assert.InRange(sensor.Client.Topics.Count, 0, TopicsMax);
            Assert.InRange(sensor.Client.Outbox.Count, 0, 8);
            sensor.Client.Outbox.Clear();
        }

        return PerSeed;
    });

    /// <summary>As a session might: not always.</summary>
    private static void Answer(SensorUnderTest sensor, Packet request, Random random)
    {
        if (request is ConnectPacket)
        {
            sensor.Client.Accept(null, sensor.Now);
            return;
        }

        if (random.Next(4) == 0) return;
        ReasonCode[] reasons = [random.Next(2) == 0 ? ReasonCode.Success : ReasonCode.QuotaExceeded];
        if (request is SubscribePacket subscribe)
            sensor.Client.Subscribed(new SubAckPacket(PacketType.SubAck) { PacketId = subscribe.PacketId, Reasons = reasons });
        if (request is PublishPacket { PacketId: not 0 } publish)
            sensor.Client.Acknowledge(publish.Message.QoS == QoS.AtLeastOnce ? PacketType.PubAck : PacketType.PubRec, publish.PacketId, ReasonCode.Success, sensor.Now);
        if (request is AckPacket { Type: PacketType.PubRec, Reason: ReasonCode.Success } received)
            sensor.Client.Acknowledge(PacketType.PubRel, received.PacketId, random.Next(4) == 0 ? ReasonCode.PacketIdentifierNotFound : ReasonCode.Success, sensor.Now);
    }
}
