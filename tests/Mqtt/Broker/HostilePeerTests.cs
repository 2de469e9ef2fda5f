using System.Net;
using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Broker;

public sealed class HostilePeerTests
{
    [Theory]
    [InlineData("malformed packet", "30 04 0009 61 00", ReasonCode.MalformedPacket)]
    [InlineData("wildcard in a topic name", "30 04 0001 23 00", ReasonCode.TopicNameInvalid)]
    [InlineData("second CONNECT", "10 0E 0004 4D515454 05 02 0000 00 0001 61", ReasonCode.ProtocolError)]
    [InlineData("packet only a server sends", "D0 00", ReasonCode.ProtocolError)]
    [InlineData("alias never defined", "30 06 0000 03 23 0001", ReasonCode.ProtocolError)]
    [InlineData("alias over the maximum", "30 07 0001 61 03 23 FFFF", ReasonCode.TopicAliasInvalid)]
    [InlineData("alias 0", "30 07 0001 61 03 23 0000", ReasonCode.TopicAliasInvalid)]
    [InlineData("authentication nobody began", "F0 00", ReasonCode.ProtocolError)]
    [InlineData("prolonging a session that had no expiry", "E0 07 00 05 11 00000001", ReasonCode.ProtocolError)]
    public async Task A_client_is_told_why_it_is_thrown_out(string what, string hex, ReasonCode expected)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.ConnectRawAsync("r");
        await raw.SendAsync(PingPacket.Request);
        await raw.ReceiveAsync<PingPacket>();
        await raw.SendAsync(Bytes.Of(hex));
        Assert.True(expected == (await raw.ReceiveAsync<ReasonPacket>()).Reason, what);
        Assert.Null(await raw.ReceiveAsync());
        await Within.Until(() => loopback.Broker.Statistics is { Connections: 0, Sessions: 0 }, "gone");
    }

    [Theory]
    [InlineData("not CONNECT first", "C0 00")]
    [InlineData("too large to be a CONNECT", "10 FF FF 7F")]
    [InlineData("not MQTT at all", "474554202F20485454502F312E310D0A0D0A")]
    public async Task Strangers_are_closed_without_a_word(string what, string hex)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.OpenRawAsync();
        await raw.SendAsync(Bytes.Of(hex));
        Assert.True(await raw.ReceiveAsync() is null, what);
    }

    [Theory]
    [InlineData("10 0D 0004 4D515454 03 02 0000 0001 61", "20 02 00 01")]
    [InlineData("10 0C 0004 4D515454 04 00 0000 0000", "20 02 00 02")]
    public async Task A_refused_3_1_1_CONNECT_gets_its_return_code(string hex, string answer)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.OpenRawAsync(ProtocolVersion.V311);
        await raw.SendAsync(Bytes.Of(hex));
        Assert.Equal(Bytes.Of(answer), Bytes.Of(await raw.ReceiveAsync<ConnAckPacket>(), ProtocolVersion.V311));
        Assert.Null(await raw.ReceiveAsync());
    }

    [Fact]
    public async Task A_peer_that_never_connects_is_closed_after_a_while()
    {
        var time = new ManualTime();
        await using var loopback = await LoopbackBroker.StartAsync(options => options.TimeProvider = time);
        using var raw = await loopback.OpenRawAsync();
        await Within.Until(() => loopback.Broker.Statistics.Connections == 1, "accepted");
        time.AdvanceSeconds(12);
        Assert.Null(await raw.ReceiveAsync());
    }

    [Fact]
    public async Task More_unacknowledged_messages_than_allowed_end_the_connection()
    {
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Limits.ReceiveMax = 2);
        using var raw = await loopback.ConnectRawAsync("r");
        var message = Messages.Message("t", "x", QoS.ExactlyOnce);
        await raw.SendAsync(Messages.Publish(message, 1), Messages.Publish(message, 2), Messages.Publish(message, 3));
        await raw.ReceiveAckAsync(PacketType.PubRec);
        await raw.ReceiveAckAsync(PacketType.PubRec);
        Assert.Equal(ReasonCode.ReceiveMaximumExceeded, (await raw.ReceiveAsync<ReasonPacket>()).Reason);
    }

    [Fact]
    public async Task Limits_on_connections_sessions_subscriptions_ids_and_topics_hold()
    {
        await using var loopback = await LoopbackBroker.StartAsync(options =>
        {
            options.Limits.ConnectionsMax = 3;
            options.Limits.SessionsMax = 1;
            options.Limits.SubscriptionsPerClientMax = 2;
            options.Limits.ClientIdCharsMax = 5;
            options.Limits.TopicLevelsMax = 3;
        });
        var client = await loopback.ConnectAsync("one");
        Assert.Equal(ReasonCode.QuotaExceeded, (await loopback.NewClient("two").ConnectAsync()).Reason);
        Assert.Equal(ReasonCode.ClientIdentifierNotValid, (await loopback.NewClient("toolong").ConnectAsync()).Reason);
        Assert.Equal(
            [ReasonCode.Success, ReasonCode.Success, ReasonCode.QuotaExceeded, ReasonCode.TopicFilterInvalid],
            await client.SubscribeAsync([new("a", QoS.AtMostOnce), new("b", QoS.AtMostOnce), new("c", QoS.AtMostOnce), new("a/b/c/d", QoS.AtMostOnce)]));
        Assert.Equal(ReasonCode.TopicNameInvalid, await client.PublishAsync(Messages.Message("a/b/c/d", "x", QoS.AtLeastOnce)));
        await Within.Until(() => loopback.Broker.Statistics.Connections == 1, "the refused are gone");
        using var second = await loopback.OpenRawAsync();
        using var third = await loopback.OpenRawAsync();
        await Within.Until(() => loopback.Broker.Statistics.Connections == 3, "full");
        using var fourth = await loopback.OpenRawAsync();
        Assert.Null(await fourth.ReceiveAsync());
    }

    [Fact]
    public async Task Nobody_may_publish_to_SYS_and_access_rules_are_obeyed()
    {
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Access = new StrictAccess());
        var refused = loopback.NewClient("c", options => options.UserName = "mallory");
        Assert.Equal(ReasonCode.BadUserNameOrPassword, (await refused.ConnectAsync()).Reason);
        var client = await loopback.ConnectAsync("c", options => (options.UserName, options.Password) = ("alice", "secret"));
        Assert.Equal(ReasonCode.NotAuthorized, await client.PublishAsync(Messages.Message("$SYS/broker/uptime", "x", QoS.AtLeastOnce)));
        Assert.Equal(ReasonCode.NotAuthorized, await client.PublishAsync(Messages.Message("bob/x", "x", QoS.ExactlyOnce)));
        Assert.Equal(ReasonCode.NoMatchingSubscribers, await client.PublishAsync(Messages.Message("alice/x", "x", QoS.AtLeastOnce)));
        Assert.Equal(ReasonCode.NotAuthorized, await client.SubscribeAsync("#"));
        Assert.Equal("alice", Assert.Single(loopback.Broker.Clients).User);
    }

    [Fact]
    public async Task A_subscriber_that_does_not_read_costs_bounded_memory_and_does_not_stop_the_others()
    {
        await using var loopback = await LoopbackBroker.StartAsync(options =>
        {
            options.Limits.OutboundBytesMax = 100_000;
            options.Limits.QueuedMessagesMax = 50;
        });
        using var stuck = await loopback.ConnectRawAsync("stuck");
        await stuck.SubscribeAsync("zero", QoS.AtMostOnce);
        await stuck.SubscribeAsync("one", QoS.AtLeastOnce);
        var reader = await loopback.ConnectAsync("reader");
        await reader.SubscribeAsync("one", QoS.AtLeastOnce);
        var payload = new string('x', 10_000);
        for (var i = 0; i < 2000; i++) loopback.Broker.Publish(Messages.Message("zero", payload));
        for (var i = 0; i < 200; i++)
        {
            loopback.Broker.Publish(Messages.Message("one", payload, QoS.AtLeastOnce));
            Assert.Equal("one", (await Within.Reason(reader.ReceiveAsync())).Message.Topic);
        }

        var snapshot = loopback.Broker.Clients.Single(client => client.ClientId == "stuck");
        Assert.InRange(snapshot.UnsentBytes, 0, 120_000);
        Assert.Equal(50, snapshot.QueuedMessages);
        Assert.True(loopback.Broker.Statistics.MessagesDropped > 100);
    }

    [Fact]
    public async Task A_client_that_does_not_read_its_answers_is_not_read_from_either()
    {
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Limits.OutboundBytesMax = 10_000);
        using var raw = await loopback.ConnectRawAsync("r");
        var pings = Enumerable.Repeat(Bytes.Of("C0 00"), 100_000).SelectMany(ping => ping).ToArray();
        var flood = Task.Run(async () =>
        {
            for (var i = 0; i < 100; i++) await raw.SendAsync(pings);
        });
        await Within.Until(() => loopback.Broker.Clients[0].UnsentBytes >= 10_000 || flood.IsCompleted, "stalled");
        Assert.InRange(loopback.Broker.Clients[0].UnsentBytes, 0, 10_000 + (64 << 10));
        for (var i = 0; i < 1000; i++) await raw.ReceiveAsync<PingPacket>();
        raw.Dispose();
        await Assert.ThrowsAnyAsync<Exception>(() => flood);
    }

    [Fact]
    public async Task Two_thousand_idle_connections_are_cheap_and_do_not_disturb_the_busy_ones()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        var idle = new List<RawClient>();
        for (var i = 0; i < 2000; i++)
        {
            var raw = await loopback.ConnectRawAsync($"idle{i}", ProtocolVersion.V311);
            await raw.SubscribeAsync($"idle/{i}", QoS.AtMostOnce);
            idle.Add(raw);
        }

        var busy = await loopback.ConnectAsync("busy");
        await busy.SubscribeAsync("busy");
        for (var i = 0; i < 100; i++) await busy.PublishAsync(Messages.Message("busy", $"{i}", QoS.AtLeastOnce));
        for (var i = 0; i < 100; i++) Assert.Equal($"{i}", (await Within.Reason(busy.ReceiveAsync())).Message.Text());
        loopback.Broker.Publish(Messages.Message("idle/1999", "you"));
        Assert.Equal("you", (await idle[1999].ReceiveAsync<PublishPacket>()).Message.Text());
        Assert.Equal(2001, loopback.Broker.Statistics.Connections);
        foreach (var raw in idle) raw.Dispose();
    }

    [Fact]
    public async Task A_unix_socket_is_private_trusted_and_leaves_no_file()
    {
        var path = Path.Combine(Path.GetTempPath(), $"mqtt-{Guid.NewGuid():N}.sock");
        var access = new StrictAccess();
        var broker = await MqttBroker.StartAsync(new BrokerOptions { Access = access }, BrokerEndpoint.Unix(path));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        await using (var client = new Mqtt.Client.MqttClient(new() { Server = Mqtt.Client.MqttClientOptions.Unix(path) }))
        {
            Assert.True((await client.ConnectAsync()).IsAccepted);
        }

        await broker.StopAsync();
        Assert.False(File.Exists(path));
        Assert.True(access.SawTrusted);
    }

    [Fact]
    public async Task SYS_topics_are_published_while_somebody_listens()
    {
        var time = new ManualTime();
        await using var loopback = await LoopbackBroker.StartAsync(options => options.TimeProvider = time);
        time.AdvanceSeconds(20);
        Assert.Equal(0, loopback.Broker.Statistics.MessagesIn);
        var client = await loopback.ConnectAsync("c");
        await client.SubscribeAsync("$SYS/broker/clients/connected");
        time.AdvanceSeconds(11);
        Assert.Equal("1", (await Within.Reason(client.ReceiveAsync())).Message.Text());
    }

    [Fact]
    public async Task Starting_on_a_taken_port_fails_and_says_so()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        await Assert.ThrowsAsync<System.Net.Sockets.SocketException>(
            () => MqttBroker.StartAsync(new BrokerOptions(), BrokerEndpoint.Tcp(IPAddress.Loopback, loopback.Port)));
    }

    /// <summary>alice with her password, or anybody over a trusted endpoint; each under their own name only.</summary>
    private sealed class StrictAccess : IBrokerAccess
    {
        public bool SawTrusted { get; private set; }

        public ValueTask<ConnectVerdict> AuthenticateAsync(ConnectAttempt attempt, CancellationToken cancellation)
        {
            if (attempt.Trusted)
            {
                SawTrusted = true;
                return ValueTask.FromResult(ConnectVerdict.Accept(new Principal("local")));
            }

            var known = attempt.UserName == "alice" && attempt.Password is { } password && password.Span.SequenceEqual("secret"u8);
            return ValueTask.FromResult(
                known ? ConnectVerdict.Accept(new Principal("alice")) : ConnectVerdict.Refuse(ReasonCode.BadUserNameOrPassword));
        }

        public bool MayPublish(Principal principal, string topic) => topic.StartsWith($"{principal.Name}/", StringComparison.Ordinal);

        public bool MaySubscribe(Principal principal, string filter) => filter.StartsWith($"{principal.Name}/", StringComparison.Ordinal);
    }
}
