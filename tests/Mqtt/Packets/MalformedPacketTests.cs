namespace EdgeFirmware.Mqtt.Tests.Packets;

public sealed class MalformedPacketTests
{
    [Theory]
    [InlineData("type 0 is reserved", "00 00", ReasonCode.MalformedPacket)]
    [InlineData("remaining length of five bytes", "30 80 80 80 80 01", ReasonCode.MalformedPacket)]
    [InlineData("remaining length longer than needed", "C0 80 00", ReasonCode.MalformedPacket)]
    [InlineData("PINGREQ with flags", "C1 00", ReasonCode.MalformedPacket)]
    [InlineData("PINGREQ with a body", "C0 01 00", ReasonCode.MalformedPacket)]
    [InlineData("SUBSCRIBE without flag 0010", "80 07 0001 00 0001 61 00", ReasonCode.MalformedPacket)]
    [InlineData("SUBSCRIBE without a filter", "82 03 0001 00", ReasonCode.ProtocolError)]
    [InlineData("SUBSCRIBE with QoS 3", "82 07 0001 00 0001 61 03", ReasonCode.ProtocolError)]
    [InlineData("SUBSCRIBE with reserved option bits", "82 07 0001 00 0001 61 40", ReasonCode.MalformedPacket)]
    [InlineData("SUBSCRIBE with retain handling 3", "82 07 0001 00 0001 61 30", ReasonCode.ProtocolError)]
    [InlineData("SUBSCRIBE with packet id 0", "82 07 0000 00 0001 61 00", ReasonCode.ProtocolError)]
    [InlineData("SUBSCRIBE with two identifiers", "82 0B 0001 04 0B01 0B02 0001 61 00", ReasonCode.ProtocolError)]
    [InlineData("SUBSCRIBE with identifier 0", "82 09 0001 02 0B00 0001 61 00", ReasonCode.ProtocolError)]
    [InlineData("shared subscription with no local", "82 10 0001 00 000A 2473686172652F672F61 04", ReasonCode.ProtocolError)]
    [InlineData("UNSUBSCRIBE without a filter", "A2 03 0001 00", ReasonCode.ProtocolError)]
    [InlineData("PUBLISH with QoS 3", "36 06 0001 61 0001 00", ReasonCode.MalformedPacket)]
    [InlineData("PUBLISH QoS 0 with DUP", "38 04 0001 61 00", ReasonCode.MalformedPacket)]
    [InlineData("PUBLISH QoS 1 with packet id 0", "32 06 0001 61 0000 00", ReasonCode.ProtocolError)]
    [InlineData("PUBLISH to a wildcard", "30 04 0001 23 00", ReasonCode.TopicNameInvalid)]
    [InlineData("PUBLISH without topic or alias", "30 03 0000 00", ReasonCode.ProtocolError)]
    [InlineData("PUBLISH with an overlong UTF-8 form", "30 05 0002 C0AF 00", ReasonCode.MalformedPacket)]
    [InlineData("PUBLISH with a surrogate", "30 06 0003 EDA080 00", ReasonCode.MalformedPacket)]
    [InlineData("PUBLISH with U+0000", "30 04 0001 00 00", ReasonCode.MalformedPacket)]
    [InlineData("PUBLISH whose topic runs over its end", "30 04 0009 61 00", ReasonCode.MalformedPacket)]
    [InlineData("PUBLISH with a property that is not its own", "30 07 0001 61 03 21 0001", ReasonCode.MalformedPacket)]
    [InlineData("PUBLISH with an unknown property", "30 06 0001 61 02 7F00", ReasonCode.MalformedPacket)]
    [InlineData("PUBLISH with a property twice", "30 08 0001 61 04 0100 0100", ReasonCode.ProtocolError)]
    [InlineData("PUBLISH with payload format 2", "30 06 0001 61 02 0102", ReasonCode.ProtocolError)]
    [InlineData("PUBLISH whose properties run over its end", "30 05 0001 61 09 01", ReasonCode.MalformedPacket)]
    [InlineData("PUBLISH with a wildcard in its response topic", "30 08 0001 61 04 08 0001 2B", ReasonCode.ProtocolError)]
    [InlineData("PUBACK without packet id", "40 00", ReasonCode.MalformedPacket)]
    [InlineData("PUBREL without flag 0010", "60 02 0001", ReasonCode.MalformedPacket)]
    [InlineData("CONNECT of another protocol", "10 0E 0004 58585858 05 02 0000 00 0001 61", ReasonCode.UnsupportedProtocolVersion)]
    [InlineData("CONNECT of MQTT 3.1", "10 0D 0004 4D515454 03 02 0000 0001 61", ReasonCode.UnsupportedProtocolVersion)]
    [InlineData("CONNECT of MQTT 6", "10 0E 0004 4D515454 06 02 0000 00 0001 61", ReasonCode.UnsupportedProtocolVersion)]
    [InlineData("CONNECT with the reserved flag", "10 0E 0004 4D515454 05 03 0000 00 0001 61", ReasonCode.MalformedPacket)]
    [InlineData("CONNECT with will QoS but no will", "10 0E 0004 4D515454 05 0A 0000 00 0001 61", ReasonCode.MalformedPacket)]
    [InlineData("CONNECT with receive maximum 0", "10 11 0004 4D515454 05 02 0000 03 210000 0001 61", ReasonCode.ProtocolError)]
    [InlineData("CONNECT 3.1.1 with password but no user", "10 10 0004 4D515454 04 42 0000 0001 61 0001 62", ReasonCode.MalformedPacket)]
    [InlineData("CONNECT with trailing bytes", "10 0F 0004 4D515454 05 02 0000 00 0001 61 00", ReasonCode.MalformedPacket)]
    [InlineData("CONNECT without its client id", "10 0B 0004 4D515454 05 02 0000 00", ReasonCode.MalformedPacket)]
    public void Bad_packets_are_named_with_the_right_reason(string what, string hex, ReasonCode expected)
    {
        var (reason, packet) = Bytes.Decode(Bytes.Of(hex), ProtocolVersion.V5);
        Assert.True(expected == reason, $"{what}: {reason}");
        Assert.Null(packet);
    }

    [Theory]
    [InlineData("v5 option bits in 3.1.1", "82 06 0001 0001 61 04")]
    [InlineData("AUTH in 3.1.1", "F0 00")]
    [InlineData("reason code in a 3.1.1 PUBACK", "40 03 0001 00")]
    public void Version_5_forms_are_malformed_in_3_1_1(string what, string hex)
    {
        var (reason, _) = Bytes.Decode(Bytes.Of(hex), ProtocolVersion.V311);
        Assert.True(reason == ReasonCode.MalformedPacket, $"{what}: {reason}");
    }

    [Fact]
    public void A_packet_over_the_maximum_is_refused_from_its_header_alone()
    {
        var (reason, _) = Bytes.Decode(Bytes.Of("30 FF FF 7F"), ProtocolVersion.V5, packetBytesMax: 1000);
        Assert.Equal(ReasonCode.PacketTooLarge, reason);
    }
}
