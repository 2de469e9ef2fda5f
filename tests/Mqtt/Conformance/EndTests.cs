using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Conformance;

/// <summary>PINGREQ, DISCONNECT and errors (MQTT 5 sections 3.12 to 3.14 and 4.13).</summary>
public sealed class EndTests
{
    [Theory]
    [InlineData("reserved packet type", "00 00", ReasonCode.MalformedPacket)]
    [InlineData("CONNACK", "20 03 000000", ReasonCode.ProtocolError)]
    [InlineData("SUBACK", "90 04 0001 00 00", ReasonCode.ProtocolError)]
    [InlineData("UNSUBACK", "B0 04 0001 00 00", ReasonCode.ProtocolError)]
    [InlineData("PINGRESP", "D0 00", ReasonCode.ProtocolError)]
    [InlineData("PINGREQ with a body", "C0 01 00", ReasonCode.MalformedPacket)]
    [InlineData("PINGREQ with flags", "C8 00", ReasonCode.MalformedPacket)]
    [InlineData("DISCONNECT with flags", "E2 00", ReasonCode.MalformedPacket)]
    [InlineData("DISCONNECT with a reason that is none", "E0 01 03", ReasonCode.ProtocolError)]
    [InlineData("DISCONNECT to another server", "E0 07 00 05 1C 0002 6162", ReasonCode.ProtocolError)]
    [InlineData("DISCONNECT that prolongs what had no session", "E0 07 00 05 11 00000001", ReasonCode.ProtocolError)]
    [InlineData("DISCONNECT with two expiries", "E0 0C 00 0A 11 00000000 11 00000000", ReasonCode.ProtocolError)]
    [InlineData("AUTH with flags", "F1 00", ReasonCode.MalformedPacket)]
    [InlineData("AUTH nobody asked for", "F0 00", ReasonCode.ProtocolError)]
    [InlineData("AUTH with a reason that is none", "F0 01 04", ReasonCode.ProtocolError)]
    [InlineData("PUBREL with flags of another", "60 02 0001", ReasonCode.MalformedPacket)]
    [InlineData("PUBREL with a reason of PUBACK", "62 03 0001 97", ReasonCode.ProtocolError)]
    [InlineData("PUBCOMP with a reason of PUBACK", "70 03 0001 97", ReasonCode.ProtocolError)]
    [InlineData("PUBACK with a reason of PUBREL", "40 03 0001 92", ReasonCode.ProtocolError)]
    [InlineData("PUBREC with a reason of DISCONNECT", "50 03 0001 8B", ReasonCode.ProtocolError)]
    [InlineData("PUBACK without id", "40 01 00", ReasonCode.MalformedPacket)]
    [InlineData("PUBACK that runs over its end", "40 04 0001 00 05", ReasonCode.MalformedPacket)]
    public async Task An_error_ends_the_connection_and_is_said(string what, string hex, ReasonCode reason)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.ConnectRawAsync("r");
        await raw.SendAsync(hex);
        await raw.EndsAsync(reason, what);
    }

    [Theory]
    [InlineData("00 00")]
    [InlineData("20 02 0000")]
    [InlineData("60 02 0001")]
    [InlineData("40 03 0001 00")]
    [InlineData("90 03 0001 00")]
    [InlineData("C0 01 00")]
    [InlineData("E1 00")]
    [InlineData("E0 01 00")]
    [InlineData("F0 00")]
    public async Task An_error_ends_a_3_1_1_connection_without_a_word(string hex)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.ConnectRawAsync("r", ProtocolVersion.V311);
        await raw.SendAsync(hex);
        Assert.Null(await raw.ReceiveAsync());
    }

    [Theory]
    [InlineData(ProtocolVersion.V311)]
    [InlineData(ProtocolVersion.V5)]
    public async Task Every_PINGREQ_is_answered(ProtocolVersion version)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.ConnectRawAsync("r", version);
        await raw.SendAsync("C000 C000 C000");
        for (var i = 0; i < 3; i++) Assert.Equal(PacketType.PingResp, (await raw.ReceiveAsync<PingPacket>()).Type);
    }

    [Theory]
    [InlineData(ProtocolVersion.V311, "E0 00")]
    [InlineData(ProtocolVersion.V5, "E0 00")]
    [InlineData(ProtocolVersion.V5, "E0 01 04")]
    [InlineData(ProtocolVersion.V5, "E0 0A 80 08 1F 0005 6572726F72")]
    public async Task After_DISCONNECT_nothing_is_answered_and_the_connection_closed(ProtocolVersion version, string end)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.ConnectRawAsync("r", version);
        await raw.SendAsync(end + "C000 3003000161");
        Assert.Null(await raw.ReceiveAsync());
        Assert.Equal(0, loopback.Broker.Statistics.MessagesIn);
    }

    [Fact]
    public async Task A_DISCONNECT_from_the_broker_says_nothing_of_the_session()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.ConnectRawAsync(Messages.Keep("r"));
        loopback.Broker.Disconnect("r", ReasonCode.AdministrativeAction, "enough");
        var end = await raw.ReceiveAsync<ReasonPacket>();
        Assert.Equal((ReasonCode.AdministrativeAction, null), (end.Reason, end.Properties.SessionExpirySeconds));
        Assert.Null(await raw.ReceiveAsync());
    }

    [Theory]
    [InlineData(false, ReasonCode.UseAnotherServer)]
    [InlineData(true, ReasonCode.ServerMoved)]
    public async Task A_client_can_be_sent_to_another_server(bool forGood, ReasonCode reason)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.ConnectRawAsync("r");
        using var old = await loopback.ConnectRawAsync("old", ProtocolVersion.V311);
        Assert.True(loopback.Broker.Redirect("r", "other.example:1884", forGood));
        Assert.True(loopback.Broker.Redirect("old", "other.example:1884", forGood));
        var end = await raw.ReceiveAsync<ReasonPacket>();
        Assert.Equal((reason, "other.example:1884"), (end.Reason, end.Properties.ServerReference));
        Assert.Null(await raw.ReceiveAsync());
        Assert.Null(await old.ReceiveAsync());
    }
}
