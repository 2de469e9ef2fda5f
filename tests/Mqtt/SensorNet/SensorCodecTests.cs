using EdgeFirmware.Mqtt.SensorNet;

namespace EdgeFirmware.Mqtt.Tests.SensorNet;

public sealed class SensorCodecTests
{
    /// <summary>The bytes are those of MQTT-SN 1.2 section 5.4, written by hand.</summary>
    public static TheoryData<string, string> Messages => new()
    {
        { "05 00 07 0384", "ADVERTISE" },
        { "03 01 02", "SEARCHGW" },
        { "03 02 09", "GWINFO" },
        { "07 02 09 0A000001", "GWINFO of another client" },
        { "08 04 0C 01 003C 6331", "CONNECT with a will, clean" },
        { "03 05 03", "CONNACK" },
        { "02 06", "WILLTOPICREQ" },
        { "05 07 30 612F", "WILLTOPIC of QoS 1, retained" },
        { "02 07", "WILLTOPIC, none" },
        { "02 08", "WILLMSGREQ" },
        { "04 09 6279", "WILLMSG" },
        { "02 09", "WILLMSG, empty" },
        { "09 0A 0000 0001 612F62", "REGISTER" },
        { "07 0B 0005 0001 00", "REGACK" },
        { "0A 0C 20 0005 0002 01FF00", "PUBLISH of QoS 1" },
        { "07 0C C1 0005 0002", "PUBLISH of QoS 2, again, predefined, empty" },
        { "08 0C 62 6162 0000 31", "PUBLISH of QoS -1, short" },
        { "07 0D 0005 0002 02", "PUBACK" },
        { "04 0E 0002", "PUBCOMP" },
        { "04 0F 0002", "PUBREC" },
        { "04 10 0002", "PUBREL" },
        { "08 12 40 0003 612F23", "SUBSCRIBE by name" },
        { "07 12 21 0003 0005", "SUBSCRIBE by number" },
        { "08 13 20 0005 0003 00", "SUBACK" },
        { "06 14 00 0004 61", "UNSUBSCRIBE" },
        { "07 14 02 0004 6162", "UNSUBSCRIBE, short" },
        { "04 15 0004", "UNSUBACK" },
        { "02 16", "PINGREQ" },
        { "04 16 6331", "PINGREQ of a sleeper" },
        { "02 17", "PINGRESP" },
        { "02 18", "DISCONNECT" },
        { "04 18 0E10", "DISCONNECT to sleep" },
        { "04 1A 10 61", "WILLTOPICUPD" },
        { "02 1A", "WILLTOPICUPD, none" },
        { "03 1B 00", "WILLTOPICRESP" },
        { "03 1C 78", "WILLMSGUPD" },
        { "03 1D 00", "WILLMSGRESP" },
    };

    /// <summary>Anything that is none: dropped, whatever is wrong.</summary>
    public static TheoryData<string, string> Nonsense => new()
    {
        { "", "empty" },
        { "02", "no type" },
        { "03 16", "shorter than it says" },
        { "02 16 00", "longer than it says" },
        { "00 16", "length 0" },
        { "01 0004 16 00", "three bytes of length, and they are wrong" },
        { "01 00", "length cut off" },
        { "02 03", "reserved type" },
        { "02 FF", "no such type" },
        { "05 FE 00 02 16", "forwarder encapsulation" },
        { "03 05 04", "no such return code" },
        { "02 05", "CONNACK without return code" },
        { "05 04 04 01 00", "CONNECT cut off" },
        { "06 0C 03 0005 00", "PUBLISH cut off" },
        { "07 0C 03 0005 0002", "topic id type 3" },
        { "07 12 61 0003 0005", "SUBSCRIBE with QoS -1" },
        { "06 12 01 0003 05", "half a topic id" },
        { "08 12 01 0003 000500", "topic id and a half" },
        { "08 04 04 01 003C C328", "client id that is not UTF-8" },
        { "08 04 04 01 003C 6100", "U+0000" },
        { "05 0E 0002 00", "PUBCOMP with something behind it" },
        { "03 17 00", "PINGRESP with something in it" },
        { "03 18 0E", "half a duration" },
    };

    [Theory]
    [MemberData(nameof(Messages))]
    public void Every_message_is_read_and_written_as_the_specification_says(string hex, string what)
    {
        var bytes = Bytes.Of(hex);
        var packet = SensorCodec.Read(bytes);
        Assert.True(packet is not null, what);
        Assert.Equal(Convert.ToHexString(bytes), Convert.ToHexString(SensorCodec.Write(packet)));
    }

    [Theory]
    [MemberData(nameof(Nonsense))]
    public void What_is_none_is_null(string hex, string what) => Assert.True(SensorCodec.Read(Bytes.Of(hex)) is null, what);

    [Fact]
    public void Fields_are_where_they_belong()
    {
        var publish = SensorCodec.Read(Bytes.Of("0A 0C D1 1234 5678 010203"))!;
        Assert.Equal((SensorPacketType.Publish, true, QoS.ExactlyOnce, true), (publish.Type, publish.Duplicate, publish.QoS, publish.Retain));
        Assert.Equal((TopicIdType.Predefined, 0x1234, 0x5678), (publish.TopicIdType, publish.TopicId, publish.MessageId));
        Assert.Equal([1, 2, 3], publish.Data.ToArray());
        var connect = SensorCodec.Read(Bytes.Of("08 04 0C 01 003C 6331"))!;
        Assert.Equal((true, true, (byte)1, (ushort)60, "c1"), (connect.HasWill, connect.CleanSession, connect.Number, connect.Duration, connect.Text));
        Assert.True(SensorCodec.Read(Bytes.Of("08 0C 62 6162 0000 31"))!.IsUnconnected);
    }

    [Theory]
    [InlineData(248, 255, 0xFF)]
    [InlineData(249, 258, 1)]
    [InlineData(1200, 1209, 1)]
    public void The_length_takes_three_bytes_from_256_on(int payload, int length, byte first)
    {
        var bytes = SensorCodec.Write(new SensorPacket(SensorPacketType.Publish) { Data = new byte[payload] });
        Assert.Equal((length, first), (bytes.Length, bytes[0]));
        Assert.Equal(length, SensorCodec.PublishBytes(payload));
        Assert.Equal(payload, SensorCodec.Read(bytes)!.Data.Length);
    }

    [Fact]
    public void A_short_length_may_be_written_long() => Assert.Equal("c1", SensorCodec.Read(Bytes.Of("01 0006 16 6331"))!.Text);

    [Theory]
    [InlineData("ab", 0x6162)]
    [InlineData("ä", 0xC3A4)]
    [InlineData("a", null)]
    [InlineData("abc", null)]
    public void Names_of_two_bytes_are_their_own_ids(string name, int? id)
    {
        Assert.Equal((ushort?)id, SensorCodec.ShortId(name));
        if (id is not null) Assert.Equal(name, SensorCodec.ShortName((ushort)id));
    }
}
