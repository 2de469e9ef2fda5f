using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Packets;

public sealed class FuzzTests
{
    private const int Inputs = 20_000;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void No_bytes_make_the_decoder_throw_and_what_it_accepts_it_can_write(int seed)
    {
        var random = new Random(seed);
        var accepted = 0;
        for (var i = 0; i < Inputs / 2; i++)
        {
            var version = random.Next(2) == 0 ? ProtocolVersion.V311 : ProtocolVersion.V5;
            var bytes = i % 2 == 0 ? Noise(random) : Mutation(random, version);
            var (reason, packet) = Bytes.Decode(bytes, version);
            if (reason != ReasonCode.Success) continue;
            accepted++;
            var written = Bytes.Of(packet!, packet is ConnectPacket connect ? connect.Version : version);
            var (again, _) = Bytes.Decode(written, version);
            Assert.True(again == ReasonCode.Success, $"seed {seed} input {i}: {Convert.ToHexString(bytes)} became {Convert.ToHexString(written)}: {again}");
        }

        Assert.InRange(accepted, Inputs / 100, Inputs);
    }

    private static byte[] Noise(Random random)
    {
        var body = new byte[random.Next(0, 40)];
        random.NextBytes(body);
        return [(byte)random.Next(256), (byte)body.Length, .. body];
    }

    private static byte[] Mutation(Random random, ProtocolVersion version)
    {
        Packet[] seeds =
        [
            new ConnectPacket { Version = version, ClientId = "c", UserName = "u", Password = new byte[] { 1 }, Will = new LastWill(Messages.Message("w")) },
            Messages.Publish(Messages.Message("a/b/c", "payload", QoS.AtLeastOnce) with { ContentType = "t", UserProperties = [new("a", "b")] }, 5),
            new SubscribePacket { PacketId = 2, Entries = [new("a/+/#", new(QoS.ExactlyOnce)), new("$share/g/x", default)] },
            new UnsubscribePacket { PacketId = 2, Filters = ["a", "b/c"] },
            new SubAckPacket(PacketType.SubAck) { PacketId = 2, Reasons = [ReasonCode.Success] },
            new AckPacket(PacketType.PubRec) { PacketId = 2, Reason = ReasonCode.QuotaExceeded, Properties = new() { ReasonString = "r" } },
            new ReasonPacket(PacketType.Disconnect) { Reason = ReasonCode.ServerBusy, Properties = new() { ServerReference = "s" } },
            new ConnAckPacket { Properties = new() { AssignedClientId = "x", ReceiveMaximum = 3 } },
        ];
        var bytes = Bytes.Of(seeds[random.Next(seeds.Length)], version);
        for (var flips = random.Next(0, 4); flips > 0; flips--) bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
        return bytes;
    }
}
