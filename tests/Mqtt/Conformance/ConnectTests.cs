using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Conformance;

/// <summary>CONNECT and CONNACK as the broker sees them (MQTT 5 sections 3.1 and 3.2).</summary>
public sealed class ConnectTests
{
    private const string Mqtt = "0004 4D515454";

    [Theory]
    [InlineData("20 03 000000")]
    [InlineData("30 04 0001 61 00")]
    [InlineData("40 02 0001")]
    [InlineData("50 02 0001")]
    [InlineData("62 02 0001")]
    [InlineData("70 02 0001")]
    [InlineData("82 07 0001 00 0001 61 00")]
    [InlineData("A2 06 0001 00 0001 61")]
    [InlineData("C0 00")]
    [InlineData("E0 00")]
    [InlineData("F0 00")]
    [InlineData("00 00")]
    [InlineData("10 80808001")]
    [InlineData("10 02 0000")]
    public async Task Whatever_is_not_a_CONNECT_is_closed_without_a_word_when_it_comes_first(string hex)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.OpenRawAsync();
        await raw.SendAsync(hex);
        Assert.Null(await raw.ReceiveAsync());
    }

    [Theory]
    [InlineData("the next version", "10 0D " + Mqtt + " 06 02 0000 00 0000", "20 03 00 84 00")]
    [InlineData("one between", "10 0C " + Mqtt + " 03 02 0000 0000", "20 02 00 01")]
    [InlineData("the name of version 3.1 with another number", "10 0F 0006 4D5149736470 04 02 0000 0001 61", "20 02 00 01")]
    [InlineData("another name", "10 0D 0004 6D717474 05 02 0000 00 0000", "")]
    [InlineData("a longer name", "10 0E 0005 4D51545454 05 02 0000 00 0000", "")]
    [InlineData("flags in the fixed header", "11 0D " + Mqtt + " 05 02 0000 00 0000", "20 03 00 81 00")]
    [InlineData("reserved flag", "10 0D " + Mqtt + " 05 03 0000 00 0000", "20 03 00 81 00")]
    [InlineData("reserved flag, 3.1.1", "10 0C " + Mqtt + " 04 03 0000 0000", "")]
    [InlineData("will QoS without will", "10 0D " + Mqtt + " 05 0A 0000 00 0000", "20 03 00 81 00")]
    [InlineData("will QoS without will, 3.1.1", "10 0C " + Mqtt + " 04 0A 0000 0000", "")]
    [InlineData("will retain without will", "10 0D " + Mqtt + " 05 22 0000 00 0000", "20 03 00 81 00")]
    [InlineData("will retain without will, 3.1.1", "10 0C " + Mqtt + " 04 22 0000 0000", "")]
    [InlineData("will QoS 3", "10 13 " + Mqtt + " 05 1E 0000 00 0000 00 0001 61 0000", "20 03 00 81 00")]
    [InlineData("will QoS 3, 3.1.1", "10 11 " + Mqtt + " 04 1E 0000 0000 0001 61 0000", "")]
    [InlineData("will without topic and payload", "10 0D " + Mqtt + " 05 06 0000 00 0000", "20 03 00 81 00")]
    [InlineData("will without payload, 3.1.1", "10 0F " + Mqtt + " 04 06 0000 0000 0001 61", "")]
    [InlineData("no will, but its fields", "10 12 " + Mqtt + " 05 02 0000 00 0000 00 0001 61 0000", "20 03 00 81 00")]
    [InlineData("will to a wildcard", "10 13 " + Mqtt + " 05 06 0000 00 0000 00 0001 2B 0000", "20 03 00 90 00")]
    [InlineData("will with a wildcard to answer to", "10 17 " + Mqtt + " 05 06 0000 00 0000 04 080001 23 0001 61 0000", "20 03 00 82 00")]
    [InlineData("user name flag without user name", "10 0D " + Mqtt + " 05 82 0000 00 0000", "20 03 00 81 00")]
    [InlineData("user name without its flag", "10 10 " + Mqtt + " 05 02 0000 00 0000 0001 61", "20 03 00 81 00")]
    [InlineData("password flag without password", "10 10 " + Mqtt + " 05 C2 0000 00 0000 0001 61", "20 03 00 81 00")]
    [InlineData("password without its flag", "10 13 " + Mqtt + " 05 82 0000 00 0000 0001 61 0001 62", "20 03 00 81 00")]
    [InlineData("password without user name, 3.1.1", "10 0F " + Mqtt + " 04 42 0000 0000 0001 62", "")]
    [InlineData("no client id at all", "10 0B " + Mqtt + " 05 02 0000 00", "20 03 00 81 00")]
    [InlineData("no client id at all, 3.1.1", "10 0A " + Mqtt + " 04 02 0000", "")]
    [InlineData("no id to keep a session under, 3.1.1", "10 0C " + Mqtt + " 04 00 0000 0000", "20 02 00 02")]
    [InlineData("receive maximum 0", "10 10 " + Mqtt + " 05 02 0000 03 210000 0000", "20 03 00 82 00")]
    [InlineData("packet size 0", "10 12 " + Mqtt + " 05 02 0000 05 2700000000 0000", "20 03 00 82 00")]
    [InlineData("session expiry twice", "10 17 " + Mqtt + " 05 02 0000 0A 1100000001 1100000001 0000", "20 03 00 82 00")]
    [InlineData("problem information 2", "10 0F " + Mqtt + " 05 02 0000 02 1702 0000", "20 03 00 82 00")]
    [InlineData("authentication data without method", "10 11 " + Mqtt + " 05 02 0000 04 16000161 0000", "20 03 00 82 00")]
    [InlineData("a property of another packet", "10 10 " + Mqtt + " 05 02 0000 03 230001 0000", "20 03 00 81 00")]
    public async Task A_CONNECT_that_breaks_the_rules_is_refused_and_closed(string what, string hex, string answer)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.OpenRawAsync(answer is ['2', '0', ' ', '0', '3', ..] ? ProtocolVersion.V5 : ProtocolVersion.V311);
        await raw.SendAsync(hex);
        if (answer.Length > 0) Assert.Equal((what, Convert.ToHexString(Bytes.Of(answer))), (what, await raw.ReceiveHexAsync()));
        Assert.True(await raw.ReceiveAsync() is null, what);
        Assert.Empty(loopback.Broker.Clients);
    }

    [Theory]
    [InlineData(ProtocolVersion.V311)]
    [InlineData(ProtocolVersion.V5)]
    public async Task A_second_CONNECT_ends_the_connection(ProtocolVersion version)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.ConnectRawAsync("r", version);
        await raw.SendAsync(Messages.Connect("r", version));
        await raw.EndsAsync(ReasonCode.ProtocolError);
    }

    [Theory]
    [InlineData(ProtocolVersion.V311)]
    [InlineData(ProtocolVersion.V5)]
    public async Task Every_id_of_1_to_23_letters_and_digits_is_taken(ProtocolVersion version)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        foreach (var id in new[] { "a", "0123456789abcdefghijklm", "nopqrstuvwxyzABCDEFGHIJ", "KLMNOPQRSTUVWXYZ" })
        {
            using var raw = await loopback.ConnectRawAsync(id, version);
            Assert.Null(raw.Accepted.Properties.AssignedClientId);
            Assert.Contains(loopback.Broker.Clients, client => client.ClientId == id);
        }
    }

    [Fact]
    public async Task A_client_without_an_id_is_told_a_new_one_and_has_its_session_under_it()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var first = await loopback.ConnectRawAsync(Messages.Keep(string.Empty));
        using var second = await loopback.ConnectRawAsync(Messages.Connect(string.Empty));
        var id = first.Accepted.Properties.AssignedClientId!;
        Assert.NotEqual(id, second.Accepted.Properties.AssignedClientId);
        first.Dispose();
        using var again = await loopback.ConnectRawAsync(Messages.Keep(id));
        Assert.True(again.Accepted.SessionPresent);
        using var old = await loopback.ConnectRawAsync(string.Empty, ProtocolVersion.V311);
        Assert.Equal(3, loopback.Broker.Clients.Count);
    }

    [Theory]
    [InlineData(ProtocolVersion.V311)]
    [InlineData(ProtocolVersion.V5)]
    public async Task What_is_sent_behind_a_CONNECT_is_answered_after_its_one_CONNACK(ProtocolVersion version)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.OpenRawAsync(version);
        await raw.SendAsync(
            Messages.Connect("r", version),
            new SubscribePacket { PacketId = 1, Entries = [new("a", new(QoS.AtMostOnce))] },
            Messages.Publish(Messages.Message("a", "x", QoS.AtLeastOnce), 2));
        Assert.Equal(ReasonCode.Success, (await raw.ReceiveAsync<ConnAckPacket>()).Reason);
        await raw.ReceiveAsync<SubAckPacket>();
        await raw.ReceiveAsync<PublishPacket>();
        await raw.ReceiveAckAsync(PacketType.PubAck);
        await raw.NothingCameAsync();
    }

    [Theory]
    [InlineData(ProtocolVersion.V311, ReasonCode.NotAuthorized)]
    [InlineData(ProtocolVersion.V5, ReasonCode.NotAuthorized)]
    [InlineData(ProtocolVersion.V311, ReasonCode.BadUserNameOrPassword)]
    [InlineData(ProtocolVersion.V5, ReasonCode.Banned)]
    public async Task What_is_sent_behind_a_refused_CONNECT_is_not_looked_at(ProtocolVersion version, ReasonCode reason)
    {
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Access = new Refusing(ConnectVerdict.Refuse(reason)));
        using var raw = await loopback.OpenRawAsync(version);
        await raw.SendAsync(Messages.Connect("r", version), Messages.Publish(Messages.Message("a", "x", QoS.AtLeastOnce, retain: true), 2));
        var answer = await raw.ReceiveAsync<ConnAckPacket>();
        Assert.Equal((reason, false), (answer.Reason, answer.SessionPresent));
        Assert.Null(await raw.ReceiveAsync());
        Assert.Equal((0, 0L), (loopback.Broker.Statistics.RetainedMessages, loopback.Broker.Statistics.MessagesIn));
    }

    [Fact]
    public async Task Nothing_is_declined_so_CONNACK_announces_no_restriction()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        var will = new LastWill(Messages.Message("w", "x", QoS.ExactlyOnce, retain: true));
        using var raw = await loopback.ConnectRawAsync(Messages.Connect("r", will: will));
        var said = raw.Accepted.Properties;
        Assert.Null(said.MaximumQoS);
        Assert.Null(said.RetainAvailable);
        Assert.Null(said.WildcardAvailable);
        Assert.Null(said.SharedAvailable);
        Assert.Null(said.SubscriptionIdentifierAvailable);
        Assert.Equal(((ushort?)1024, (ushort?)32, (uint?)(1 << 20)), (said.ReceiveMaximum, said.TopicAliasMaximum, said.MaximumPacketBytes));
    }

    [Theory]
    [InlineData(0, 30)]
    [InlineData(10, null)]
    [InlineData(31, 30)]
    public async Task A_keep_alive_over_the_limit_is_replaced_and_the_one_that_counts_is_kept_to(ushort asked, int? told)
    {
        var time = new ManualTime();
        await using var loopback = await LoopbackBroker.StartAsync(options =>
        {
            options.TimeProvider = time;
            options.Limits.KeepAliveMax = TimeSpan.FromSeconds(30);
        });
        using var raw = await loopback.ConnectRawAsync(Messages.Connect("r", keepAlive: asked));
        Assert.Equal((ushort?)told, raw.Accepted.Properties.ServerKeepAliveSeconds);
        time.AdvanceSeconds(1.5 * (told ?? asked) - 1);
        await raw.NothingCameAsync();
        time.AdvanceSeconds(1.5 * (told ?? asked) + 2);
        await raw.EndsAsync(ReasonCode.KeepAliveTimeout);
    }

    [Fact]
    public async Task Without_a_keep_alive_silence_lasts_as_long_as_it_likes()
    {
        var time = new ManualTime();
        await using var loopback = await LoopbackBroker.StartAsync(options => options.TimeProvider = time);
        using var old = await loopback.ConnectRawAsync("old", ProtocolVersion.V311);
        using var raw = await loopback.ConnectRawAsync("r");
        time.Advance(TimeSpan.FromDays(2));
        await raw.NothingCameAsync();
        await old.NothingCameAsync();
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData(false, null)]
    [InlineData(true, "answers/r")]
    public async Task Response_information_comes_only_when_it_was_asked_for(bool? asked, string? told)
    {
        await using var loopback = await LoopbackBroker.StartAsync(options => options.ResponseInformation = "answers/%c");
        using var raw = await loopback.ConnectRawAsync(Messages.Connect("r", properties: new() { RequestResponseInformation = asked }));
        Assert.Equal(told, raw.Accepted.Properties.ResponseInformation);
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    public async Task Problem_information_that_was_declined_stays_out_of_every_answer_but_the_last(bool? asked, bool told)
    {
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Limits.TopicLevelsMax = 2);
        using var raw = await loopback.ConnectRawAsync(Messages.Connect("r", properties: new() { RequestProblemInformation = asked }));
        await raw.SendAsync(new SubscribePacket { PacketId = 1, Entries = [new("a/b/c", default)] });
        Assert.Equal(told, (await raw.ReceiveAsync<SubAckPacket>()).Properties.ReasonString is not null);
        loopback.Broker.Disconnect("r", reasonText: "enough");
        Assert.Equal("enough", (await raw.ReceiveAsync<ReasonPacket>()).Properties.ReasonString);
    }

    private sealed class Refusing(ConnectVerdict verdict) : IBrokerAccess
    {
        public ValueTask<ConnectVerdict> AuthenticateAsync(ConnectAttempt attempt, CancellationToken cancellation) => ValueTask.FromResult(verdict);

        public bool MayPublish(Principal principal, string topic) => true;

        public bool MaySubscribe(Principal principal, string filter) => true;
    }
}
