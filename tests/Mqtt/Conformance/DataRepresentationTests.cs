using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Conformance;

/// <summary>Text, numbers and headers (MQTT 5 chapters 1.5 and 2; MQTT 3.1.1 likewise).</summary>
public sealed class DataRepresentationTests
{
    private static readonly (string What, string Hex)[] BadText =
    [
        ("a surrogate", "EDA080"), ("a surrogate pair", "EDA080EDB080"), ("an overlong slash", "C0AF"), ("an overlong NUL", "C080"),
        ("beyond Unicode", "F4908080"), ("cut short", "E282"), ("a stray continuation", "80"), ("NUL", "610062"),
    ];

    /// <summary>Packets with <c>*</c> where the text goes; ours is a CONNECT's last or first field, or one of an accepted client's packets.</summary>
    private static readonly (string What, byte First, string Body, ProtocolVersion Version)[] Fields =
    [
        ("client id", 0x10, "00044D515454 05 02 0000 00 *", ProtocolVersion.V5),
        ("will topic", 0x10, "00044D515454 05 06 0000 00 000161 00 * 0000", ProtocolVersion.V5),
        ("will content type", 0x10, "00044D515454 05 06 0000 00 000161 P03 000161 0000", ProtocolVersion.V5),
        ("user name", 0x10, "00044D515454 05 82 0000 00 000161 *", ProtocolVersion.V5),
        ("client id", 0x10, "00044D515454 04 02 0000 *", ProtocolVersion.V311),
        ("will topic", 0x10, "00044D515454 04 06 0000 000161 * 0000", ProtocolVersion.V311),
        ("user name", 0x10, "00044D515454 04 82 0000 000161 *", ProtocolVersion.V311),
        ("topic", 0x30, "* 00", ProtocolVersion.V5),
        ("topic", 0x30, "*", ProtocolVersion.V311),
        ("response topic", 0x30, "000161 P08", ProtocolVersion.V5),
        ("content type", 0x30, "000161 P03", ProtocolVersion.V5),
        ("user property name", 0x30, "000161 Q", ProtocolVersion.V5),
        ("user property value", 0x30, "000161 P26000161", ProtocolVersion.V5),
        ("filter", 0x82, "0001 00 * 00", ProtocolVersion.V5),
        ("filter", 0x82, "0001 * 00", ProtocolVersion.V311),
        ("filter to give up", 0xA2, "0001 00 *", ProtocolVersion.V5),
        ("filter to give up", 0xA2, "0001 *", ProtocolVersion.V311),
        ("reason string", 0xE0, "00 P1F", ProtocolVersion.V5),
    ];

    public static TheoryData<string> FieldNames => [.. Fields.Select(field => $"{field.What}, {field.Version}")];

    [Theory]
    [MemberData(nameof(FieldNames))]
    public async Task Ill_formed_text_ends_the_connection(string name)
    {
        var (_, first, body, version) = Fields.Single(field => $"{field.What}, {field.Version}" == name);
        await using var loopback = await LoopbackBroker.StartAsync();
        foreach (var (bad, text) in BadText)
        {
            using var raw = first == 0x10 ? await loopback.OpenRawAsync(version) : await loopback.ConnectRawAsync("r", version);
            await raw.SendAsync(Packet(first, body, text));
            if (first == 0x10 && version == ProtocolVersion.V5)
            {
                Assert.True((await raw.ReceiveAsync<ConnAckPacket>()).Reason == ReasonCode.MalformedPacket, bad);
                Assert.Null(await raw.ReceiveAsync());
            }
            else if (first == 0x10)
            {
                Assert.True(await raw.ReceiveAsync() is null, bad);
            }
            else
            {
                await raw.EndsAsync(ReasonCode.MalformedPacket, bad);
            }
        }
    }

    [Theory]
    [InlineData(ProtocolVersion.V311)]
    [InlineData(ProtocolVersion.V5)]
    public async Task A_byte_order_mark_is_a_character_and_nothing_is_normalized(ProtocolVersion version)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.ConnectRawAsync("r", version);
        // A zero-width no-break space in front; an umlaut in one and in two characters; upper and lower case.
        foreach (var filter in new[] { "\uFEFFa", "\u00E4", "A" }) await raw.SubscribeAsync(filter, QoS.AtMostOnce);
        foreach (var topic in new[] { "a", "\uFEFFa", "a\u0308", "\u00E4", "A" }) loopback.Broker.Publish(Messages.Message(topic));
        foreach (var topic in new[] { "\uFEFFa", "\u00E4", "A" }) Assert.Equal(topic, (await raw.ReceiveAsync<PublishPacket>()).Message.Topic);
        await raw.NothingCameAsync();
    }

    [Theory]
    [InlineData("remaining length", "C0 80 00")]
    [InlineData("property length", "30 05 0001 61 8000")]
    [InlineData("property identifier", "30 07 0001 61 03 8100 00")]
    [InlineData("subscription identifier", "82 0A 0001 03 0B8100 0001 61 00")]
    [InlineData("five bytes", "30 FFFFFFFF7F")]
    public async Task A_number_of_variable_width_in_more_bytes_than_it_needs_is_malformed(string what, string hex)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.ConnectRawAsync("r");
        await raw.SendAsync(hex);
        await raw.EndsAsync(ReasonCode.MalformedPacket, what);
    }

    [Theory]
    [InlineData(ProtocolVersion.V311)]
    [InlineData(ProtocolVersion.V5)]
    public void Flags_other_than_those_listed_are_malformed_in_every_packet_but_PUBLISH(ProtocolVersion version)
    {
        for (var first = 0; first < 256; first++)
        {
            var type = (PacketType)(first >> 4);
            if (type == PacketType.Publish) continue;
            var listed = type is PacketType.PubRel or PacketType.Subscribe or PacketType.Unsubscribe ? 2 : 0;
            if ((first & 15) == listed) continue;
            var reason = PacketDecoder.Decode((byte)first, Bytes.Of("0001 0001 61 00"), version, out _);
            Assert.True(reason == ReasonCode.MalformedPacket, $"{first:X2}: {reason}");
        }
    }

    [Fact]
    public void No_properties_are_said_with_a_length_of_zero()
    {
        Assert.Equal("30050001610078", Hex(Messages.Publish(Messages.Message("a", "x"))));
        Assert.Equal("2003000000", Hex(new ConnAckPacket()));
        Assert.Equal("900400070001", Hex(new SubAckPacket(PacketType.SubAck) { PacketId = 7, Reasons = [ReasonCode.GrantedQoS1] }));
        Assert.Equal("B00400070011", Hex(new SubAckPacket(PacketType.UnsubAck) { PacketId = 7, Reasons = [ReasonCode.NoSubscriptionExisted] }));
        Assert.Equal("820700070000016100", Hex(new SubscribePacket { PacketId = 7, Entries = [new("a", default)] }));
    }

    [Theory]
    [InlineData(ProtocolVersion.V311, "3003000161")]
    [InlineData(ProtocolVersion.V5, "300400016100")]
    public void A_QoS_0_publish_has_no_packet_id(ProtocolVersion version, string expected) =>
        Assert.Equal(expected, Convert.ToHexString(Bytes.Of(Messages.Publish(Messages.Message("a", ""), packetId: 5), version)));

    private static string Hex(Packet packet) => Convert.ToHexString(Bytes.Of(packet, ProtocolVersion.V5));

    /// <summary><c>*</c> is the text with its length, <c>Pxx</c> a property block that ends with it, <c>Q</c> a user property named so.</summary>
    private static byte[] Packet(byte first, string body, string text)
    {
        var value = $"{text.Length / 2:X4}{text}";
        var parts = body.Split(' ').Select(part => part[0] switch
        {
            '*' => value,
            'P' => Block(part[1..] + value),
            'Q' => Block($"26{value}000161"),
            _ => part,
        });
        var bytes = Bytes.Of(string.Concat(parts));
        return [first, (byte)bytes.Length, .. bytes];
    }

    private static string Block(string properties) => $"{properties.Length / 2:X2}{properties}";
}
