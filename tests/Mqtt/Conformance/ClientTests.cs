using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using EdgeFirmware.Mqtt.Client;
using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Conformance;

/// <summary>What binds a client, against a broker of which the test writes every packet.</summary>
public sealed class ClientTests : IDisposable
{
    private readonly StandIn _broker = new();

    public void Dispose() => _broker.Dispose();

    [Theory]
    [InlineData(ProtocolVersion.V311, "1019 00044D515454 04 F6 003C 000163 000177 000178 000175 000170")]
    [InlineData(ProtocolVersion.V5, "1028 00044D515454 05 F6 003C 08 21 0400 27 00100000 000163 05 18 00000007 000177 000178 000175 000170")]
    public async Task CONNECT_comes_first_with_its_fields_in_order(ProtocolVersion version, string hex)
    {
        await using var client = NewClient(options =>
        {
            options.Version = version;
            (options.ClientId, options.UserName, options.Password) = ("c", "u", "p");
            options.Will = new LastWill(Messages.Message("w", "x", QoS.ExactlyOnce, retain: true), 7);
        });
        var connecting = client.ConnectAsync();
        using var raw = await _broker.AcceptAsync(new ConnAckPacket(), version);
        await Within.Reason(connecting);
        Assert.Equal(Convert.ToHexString(Bytes.Of(hex)), Convert.ToHexString(Bytes.Of(_broker.Connect, version)));
    }

    public static TheoryData<string, Action<MqttClientOptions>> Unsayable => new()
    {
        { "NUL in the id", options => options.ClientId = "a\0b" },
        { "half a surrogate pair in the user name", options => options.UserName = "\uD800" },
        { "a will to a wildcard", options => options.Will = new LastWill(Messages.Message("a/#")) },
        { "a will whose content type is too long",
            options => options.Will = new LastWill(Messages.Message("a") with { ContentType = new string('x', 65536) }) },
        { "a session without an id in 3.1.1",
            options => (options.Version, options.CleanStart, options.ClientId) = (ProtocolVersion.V311, false, string.Empty) },
        { "a password without a user name in 3.1.1", options => (options.Version, options.Password) = (ProtocolVersion.V311, "p") },
    };

    [Theory]
    [MemberData(nameof(Unsayable))]
    public void What_no_CONNECT_can_say_is_refused_beforehand(string what, Action<MqttClientOptions> configure) =>
        Assert.True(Record.Exception(() => NewClient(configure)) is ArgumentException, what);

    [Fact]
    public async Task What_no_packet_may_say_is_refused_beforehand()
    {
        await using var client = NewClient();
        var (raw, _) = await ConnectAsync(client);
        var plain = Messages.Message("a", "x", QoS.AtLeastOnce);
        MqttMessage[] messages =
        [
            plain with { Topic = "" }, plain with { Topic = "+" }, plain with { Topic = "a/#" }, plain with { Topic = "a\0" },
            plain with { Topic = "\uDC00" },
            plain with { Topic = new string('x', 65536) }, plain with { ResponseTopic = "+" }, plain with { ResponseTopic = "\uD800" },
            plain with { ContentType = "\0" },
            plain with { UserProperties = [new("a", "\uD800x")] }, plain with { CorrelationData = new byte[65536] }, plain with { PayloadFormat = 2 },
        ];
        foreach (var message in messages) await Assert.ThrowsAsync<ArgumentException>(() => client.PublishAsync(message));
        foreach (var filter in new[] { "", "a#", "#/a", "a+", "\0", "\uD800", "$share//a", "$share/g", "$share/+/a" })
        {
            await Assert.ThrowsAsync<ArgumentException>(() => client.SubscribeAsync(filter));
            await Assert.ThrowsAsync<ArgumentException>(() => client.UnsubscribeAsync([filter]));
        }

        await Assert.ThrowsAsync<ArgumentException>(() => client.SubscribeAsync([]));
        await Assert.ThrowsAsync<ArgumentException>(() => client.UnsubscribeAsync([]));
        var noLocal = new SubscriptionOptions(default, NoLocal: true);
        await Assert.ThrowsAsync<ArgumentException>(() => client.SubscribeAsync([new("$share/g/a", noLocal)]));
        await Assert.ThrowsAsync<ArgumentException>(() => client.SubscribeAsync([new("a", default, Identifier: 0)]));
        await client.DisconnectAsync();
        Assert.Equal(PacketType.Disconnect, (await raw.ReceiveAsync<ReasonPacket>()).Type);
    }

    [Fact]
    public async Task What_the_CONNACK_excludes_is_not_sent()
    {
        await using var client = NewClient();
        var (raw, _) = await ConnectAsync(client, new PacketProperties { MaximumQoS = 1, RetainAvailable = false, MaximumPacketBytes = 30 });
        Assert.Equal(ReasonCode.QoSNotSupported, await client.PublishAsync(Messages.Message("a", "x", QoS.ExactlyOnce)));
        Assert.Equal(ReasonCode.RetainNotSupported, await client.PublishAsync(Messages.Message("a", "x", retain: true)));
        Assert.True((await client.PublishAsync(Messages.Message("a", new string('x', 25), QoS.AtLeastOnce))).IsFailure());
        await Assert.ThrowsAsync<MqttException>(() => client.SubscribeAsync(new string('x', 30)));
        await Assert.ThrowsAsync<MqttException>(() => client.UnsubscribeAsync([new string('x', 30)]));
        await client.DisconnectAsync();
        Assert.Equal(PacketType.Disconnect, (await raw.ReceiveAsync<ReasonPacket>()).Type);
        Assert.Null(await raw.ReceiveAsync());
    }

    [Theory]
    [InlineData(null, 40)]
    [InlineData((ushort)10, 10)]
    public async Task The_keep_alive_the_broker_says_counts_and_a_client_with_nothing_to_say_pings(ushort? told, int seconds)
    {
        var time = new ManualTime();
        await using var client = NewClient(options => (options.KeepAlive, options.TimeProvider) = (TimeSpan.FromSeconds(40), time));
        var (raw, _) = await ConnectAsync(client, new PacketProperties { ServerKeepAliveSeconds = told });
        for (ushort i = 1; i <= 4; i++)
        {
            time.AdvanceSeconds(seconds / 2);
            Assert.Equal(PacketType.PingReq, (await raw.ReceiveAsync<PingPacket>()).Type);
            await raw.SendAsync(PingPacket.Response, Messages.Publish(Messages.Message("a", "x", QoS.AtLeastOnce), i));
            await Within.Reason(client.ReceiveAsync());
            await raw.ReceiveAckAsync(PacketType.PubAck);
        }

        // Without an answer for longer than one and a half keep-alives the broker is given up.
        time.AdvanceSeconds(2 * seconds);
        while (await raw.ReceiveAsync() is { } packet) Assert.Equal(PacketType.PingReq, packet.Type);
    }

    [Fact]
    public async Task A_session_it_did_not_ask_for_ends_the_connection()
    {
        await using var client = NewClient();
        var connecting = client.ConnectAsync();
        using var raw = await _broker.AcceptAsync(sessionPresent: true);
        await Assert.ThrowsAsync<MqttException>(() => Within.Reason(connecting));
        Assert.Null(await raw.ReceiveAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task After_a_loss_what_was_unacknowledged_is_repeated_in_order_or_sent_anew_when_the_broker_has_forgotten(bool present)
    {
        await using var client = NewClient(options => (options.CleanStart, options.SessionExpirySeconds, options.Reconnect) = (false, 100, true));
        var (raw, _) = await ConnectAsync(client);
        var all = new[] { QoS.AtLeastOnce, QoS.ExactlyOnce, QoS.ExactlyOnce, QoS.AtLeastOnce }
            .Select((qos, i) => client.PublishAsync(Messages.Message("a", $"{i}", qos))).ToArray();
        var ids = new List<ushort>();
        for (var i = 0; i < 4; i++) ids.Add((await raw.ReceiveAsync<PublishPacket>()).PacketId);
        Assert.Equal(4, ids.Where(id => id > 0).Distinct().Count());
        await raw.SendAsync(Messages.Ack(PacketType.PubRec, ids[2]));
        Assert.Equal(ids[2], (await raw.ReceiveAckAsync(PacketType.PubRel)).PacketId);
        raw.Dispose();

        using var again = await _broker.AcceptAsync(present);
        if (present) Assert.Equal(ids[2], (await again.ReceiveAckAsync(PacketType.PubRel)).PacketId);
        foreach (var i in new[] { 0, 1, 3 })
        {
            var publish = await again.ReceiveAsync<PublishPacket>();
            Assert.Equal(($"{i}", present), (publish.Message.Text(), publish.Duplicate));
            if (present) Assert.Equal(ids[i], publish.PacketId);
            var answer = publish.Message.QoS == QoS.AtLeastOnce ? PacketType.PubAck : PacketType.PubRec;
            await again.SendAsync(Messages.Ack(answer, publish.PacketId, ReasonCode.QuotaExceeded));
        }

        if (present) await again.SendAsync(Messages.Ack(PacketType.PubComp, ids[2]));
        Assert.Equal(
            [ReasonCode.QuotaExceeded, ReasonCode.QuotaExceeded, ReasonCode.Success, ReasonCode.QuotaExceeded],
            await Within.Reason(Task.WhenAll(all)));
    }

    [Theory]
    [InlineData(null, 0)]
    [InlineData((ushort)1, 1)]
    [InlineData((ushort)100, 2)]
    public async Task Aliases_are_used_as_far_as_both_sides_go(ushort? offered, int used)
    {
        await using var client = NewClient(options => options.OwnTopicAliasMaximum = 2);
        var (raw, _) = await ConnectAsync(client, new PacketProperties { TopicAliasMaximum = offered });
        var seen = new Dictionary<ushort, string>();
        foreach (var topic in new[] { "a", "b", "c", "a", "b", "c" })
        {
            await client.PublishAsync(Messages.Message(topic));
            var publish = await raw.ReceiveAsync<PublishPacket>();
            if (publish.Message.Topic.Length > 0 && publish.TopicAlias is { } set) seen[set] = publish.Message.Topic;
            Assert.Equal(topic, publish.Message.Topic.Length > 0 ? publish.Message.Topic : seen[publish.TopicAlias!.Value]);
        }

        Assert.Equal(used, seen.Count);
        Assert.All(seen.Keys, alias => Assert.InRange(alias, 1, used));
    }

    [Fact]
    public async Task The_brokers_receive_maximum_holds_back_messages_and_nothing_else()
    {
        await using var client = NewClient();
        var (raw, _) = await ConnectAsync(client, new PacketProperties { ReceiveMaximum = 1 });
        var first = client.PublishAsync(Messages.Message("a", "1", QoS.ExactlyOnce));
        var second = client.PublishAsync(Messages.Message("a", "2", QoS.AtLeastOnce));
        var id = (await raw.ReceiveAsync<PublishPacket>()).PacketId;
        var subscribing = client.SubscribeAsync("a");
        var subscribe = await raw.ReceiveAsync<SubscribePacket>();
        Assert.NotEqual(id, subscribe.PacketId);
        await raw.SendAsync(new SubAckPacket(PacketType.SubAck) { PacketId = subscribe.PacketId, Reasons = [ReasonCode.GrantedQoS1] },
            Messages.Ack(PacketType.PubRec, id));
        await Within.Reason(subscribing);
        Assert.Equal(id, (await raw.ReceiveAckAsync(PacketType.PubRel)).PacketId);
        await raw.SendAsync(Messages.Ack(PacketType.PubComp, id));
        Assert.Equal("2", (await raw.ReceiveAsync<PublishPacket>()).Message.Text());
        Assert.Equal(ReasonCode.Success, await Within.Reason(first));
        Assert.False(second.IsCompleted);
        await raw.SendAsync(Messages.Ack(PacketType.PubAck, 2));
        Assert.Equal(ReasonCode.Success, await Within.Reason(second));
    }

    [Theory]
    [InlineData("ill-formed text", "30 06 0003 EDA080 00", ReasonCode.MalformedPacket)]
    [InlineData("QoS 3", "36 06 0001 61 0001 00", ReasonCode.MalformedPacket)]
    [InlineData("a reserved type", "00 00", ReasonCode.MalformedPacket)]
    [InlineData("wrong flags", "D1 00", ReasonCode.MalformedPacket)]
    [InlineData("larger than it takes", "30 E907", ReasonCode.PacketTooLarge)]
    [InlineData("a wildcard in a topic", "30 04 0001 23 00", ReasonCode.TopicNameInvalid)]
    [InlineData("a second CONNACK", "20 03 000000", ReasonCode.ProtocolError)]
    [InlineData("a request", "82 07 0001 00 0001 61 00", ReasonCode.ProtocolError)]
    [InlineData("AUTH nobody asked for", "F0 00", ReasonCode.ProtocolError)]
    [InlineData("an alias over the maximum", "30 07 0001 61 03 230004", ReasonCode.TopicAliasInvalid)]
    [InlineData("an alias that was never set", "30 06 0000 03 230003", ReasonCode.ProtocolError)]
    [InlineData("more than it wants at once", "34060001610001003406000161000200", ReasonCode.ReceiveMaximumExceeded)]
    public async Task A_broker_that_breaks_the_rules_is_told_so_and_left(string what, string hex, ReasonCode reason)
    {
        await using var client = NewClient(options => (options.ReceiveMaximum, options.TopicAliasMaximum, options.PacketBytesMax) = (1, 3, 1000));
        var (raw, _) = await ConnectAsync(client);
        await raw.SendAsync(hex);
        var end = await raw.ReceiveAsync();
        Assert.True(end is ReasonPacket { Type: PacketType.Disconnect } told && told.Reason == reason, $"{what}: {(end as ReasonPacket)?.Reason}");
        Assert.Null(await raw.ReceiveAsync());
        Assert.Equal(reason, await Within.Reason(client.Disconnected));
    }

    [Fact]
    public async Task An_answer_with_another_number_of_reasons_is_none()
    {
        await using var client = NewClient();
        var (raw, _) = await ConnectAsync(client);
        var subscribing = client.SubscribeAsync([new("a", default), new("b", default)]);
        var id = (await raw.ReceiveAsync<SubscribePacket>()).PacketId;
        await raw.SendAsync(new SubAckPacket(PacketType.SubAck) { PacketId = id, Reasons = [ReasonCode.Success] });
        Assert.Equal(ReasonCode.ProtocolError, (await raw.ReceiveAsync<ReasonPacket>()).Reason);
        await Assert.ThrowsAsync<MqttException>(() => Within.Reason(subscribing));
    }

    [Fact]
    public async Task Every_alias_it_offered_is_taken_and_what_it_does_not_read_is_acknowledged_all_the_same()
    {
        await using var client = NewClient(options => options.TopicAliasMaximum = 3);
        var (raw, _) = await ConnectAsync(client);
        foreach (var (topic, alias) in new (string, ushort)[] { ("a", 3), ("b", 1), ("", 3), ("c", 3), ("", 3), ("", 1) })
            await raw.SendAsync(new PublishPacket { Message = Messages.Message(topic), Properties = new() { TopicAlias = alias } });
        foreach (var topic in new[] { "a", "b", "a", "c", "c", "b" }) Assert.Equal(topic, (await Within.Reason(client.ReceiveAsync())).Message.Topic);
    }

    [Fact]
    public async Task A_QoS_2_message_is_seen_once_and_answered_each_time_until_it_is_released()
    {
        await using var client = NewClient();
        var (raw, _) = await ConnectAsync(client);
        for (var i = 0; i < 3; i++)
        {
            await raw.SendAsync(Messages.Publish(Messages.Message("a", $"{i}", QoS.ExactlyOnce), 7, duplicate: i == 1));
            if (i != 1) Assert.Equal($"{i}", (await Within.Reason(client.ReceiveAsync())).Message.Text());
            Assert.Equal(7, (await raw.ReceiveAckAsync(PacketType.PubRec)).PacketId);
            if (i != 1) continue;
            await raw.SendAsync(Messages.Ack(PacketType.PubRel, 7), Messages.Ack(PacketType.PubRel, 7), Messages.Ack(PacketType.PubRec, 9));
            Assert.Equal(ReasonCode.Success, (await raw.ReceiveAckAsync(PacketType.PubComp)).Reason);
            Assert.Equal(ReasonCode.PacketIdentifierNotFound, (await raw.ReceiveAckAsync(PacketType.PubComp)).Reason);
            Assert.Equal(ReasonCode.PacketIdentifierNotFound, (await raw.ReceiveAckAsync(PacketType.PubRel)).Reason);
        }
    }

    [Fact]
    public async Task Answers_leave_in_the_order_of_what_they_answer()
    {
        await using var client = NewClient();
        var (raw, _) = await ConnectAsync(client);
        var publishing = Enumerable.Range(1, 3).Select(i => client.PublishAsync(Messages.Message("a", $"{i}", QoS.ExactlyOnce))).ToArray();
        for (var i = 1; i <= 3; i++) Assert.Equal($"{i}", (await raw.ReceiveAsync<PublishPacket>()).Message.Text());
        ushort[] received = [2, 3, 1];
        foreach (var id in received) await raw.SendAsync(Messages.Ack(PacketType.PubRec, id));
        foreach (var id in received) Assert.Equal(id, (await raw.ReceiveAckAsync(PacketType.PubRel)).PacketId);
        foreach (var id in received) await raw.SendAsync(Messages.Ack(PacketType.PubComp, id));
        await Within.Reason(Task.WhenAll(publishing));
        var messages = Enumerable.Range(1, 20).Select(i => Messages.Publish(Messages.Message("a", "x", (QoS)(1 + (i % 2))), (ushort)i));
        await raw.SendAsync(messages.ToArray<Packet>());
        for (var i = 1; i <= 20; i++)
        {
            await Within.Reason(client.ReceiveAsync());
            Assert.Equal(i, (await raw.ReceiveAckAsync(i % 2 == 0 ? PacketType.PubAck : PacketType.PubRec)).PacketId);
        }
    }

    [Fact]
    public async Task A_3_1_1_client_without_a_session_begins_a_clean_one_each_time()
    {
        await using var client = NewClient(options =>
        {
            options.Version = ProtocolVersion.V311;
            options.ClientId = string.Empty;
            options.Reconnect = true;
        });
        var connecting = client.ConnectAsync();
        for (var i = 0; i < 2; i++)
        {
            using var raw = await _broker.AcceptAsync(new ConnAckPacket(), ProtocolVersion.V311);
            await Within.Reason(connecting);
            Assert.Equal((ProtocolVersion.V311, string.Empty, true), (_broker.Connect.Version, _broker.Connect.ClientId, _broker.Connect.CleanStart));
        }
    }

    [Fact]
    public async Task The_sub_protocol_mqtt_is_offered_and_no_other_is_accepted()
    {
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        await using var client = NewClient(options => (options.Server, options.WebSocketPath) = (server.LocalEndpoint, "/mqtt"));
        var connecting = client.ConnectAsync();
        using var accepted = await Within.Reason(server.AcceptTcpClientAsync());
        using var reader = new StreamReader(accepted.GetStream(), leaveOpen: true);
        var request = new List<string>();
        while (await Within.Reason(reader.ReadLineAsync()) is { Length: > 0 } line) request.Add(line);
        Assert.Contains("Sec-WebSocket-Protocol: mqtt", request);
        var key = request.Single(line => line.StartsWith("Sec-WebSocket-Key: ", StringComparison.Ordinal))[19..];
#pragma warning disable CA5350 // The hash is RFC 6455's.
        var accept = Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
#pragma warning restore CA5350
        await accepted.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + $"Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: other\r\n\r\n"));
        await Assert.ThrowsAsync<MqttException>(() => Within.Reason(connecting));
    }

    private MqttClient NewClient(Action<MqttClientOptions>? configure = null)
    {
        var options = new MqttClientOptions
        {
            Server = _broker.Address, ClientId = "c", ReconnectDelay = TimeSpan.FromMilliseconds(10),
        };
        configure?.Invoke(options);
        return new MqttClient(options);
    }

    private async Task<(RawClient Raw, ConnectResult Result)> ConnectAsync(MqttClient client, PacketProperties? said = null)
    {
        var connecting = client.ConnectAsync();
        var raw = await _broker.AcceptAsync(new ConnAckPacket { Properties = said ?? PacketProperties.Empty });
        return (raw, await Within.Reason(connecting));
    }
}
