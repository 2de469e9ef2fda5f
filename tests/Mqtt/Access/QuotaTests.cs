using EdgeFirmware.Mqtt.Access;
using EdgeFirmware.Mqtt.Packets;
using EdgeFirmware.Mqtt.Tests.Durability;

namespace EdgeFirmware.Mqtt.Tests.Access;

/// <summary>What happens to whoever meets a quota, and that room comes back.</summary>
public sealed class QuotaTests : QuotaBroker
{
    [Theory]
    [InlineData(ProtocolVersion.V5)]
    [InlineData(ProtocolVersion.V311)]
    public async Task A_connection_too_many_is_refused_until_another_has_ended(ProtocolVersion version)
    {
        Alice(new Quotas { ConnectionsMax = 1 });
        using var first = await ConnectAsync("alice", "a", version);
        using var second = await Loopback.OpenRawAsync(version);
        await second.SendAsync(Connect("alice", "b", version));
        var expected = version == ProtocolVersion.V5 ? ReasonCode.QuotaExceeded : ReasonCode.ServerUnavailable;
        Assert.Equal(expected, (await second.ReceiveAsync<ConnAckPacket>()).Reason);
        Assert.Null(await second.ReceiveAsync());
        Assert.Equal((1, 1L), (Usage("alice").Connections, Account("alice").Met(QuotaKind.Connections)));
        Assert.Single(Broker.Clients);
        await LeaveAsync(first, "a");
        using var third = await ConnectAsync("alice", "b", version);
        Assert.Equal(1, Usage("alice").Connections);
    }

    [Fact]
    public async Task A_client_that_takes_over_its_session_is_not_refused_because_of_its_old_connection()
    {
        Alice(new Quotas { ConnectionsMax = 1 });
        using var first = await ConnectAsync("alice", "a", expiry: 100);
        using var second = await ConnectAsync("alice", "a", expiry: 100);
        await first.EndsAsync(ReasonCode.SessionTakenOver);
        Assert.Equal((1, 0L), (Usage("alice").Connections, Account("alice").Met(QuotaKind.Connections)));
        using var clean = await ConnectAsync("alice", "a");
        Assert.Equal(1, Usage("alice").Connections);
        await LeaveAsync(clean, "a");
        Assert.Equal(0, Usage("alice").Connections);
    }

    [Theory]
    [InlineData(ProtocolVersion.V5, ReasonCode.QuotaExceeded)]
    [InlineData(ProtocolVersion.V311, ReasonCode.UnspecifiedError)]
    public async Task A_filter_too_many_is_refused_and_one_that_replaces_another_is_not(ProtocolVersion version, ReasonCode refusal)
    {
        Alice(new Quotas { SubscriptionsMax = 2 });
        using var raw = await ConnectAsync("alice", "a", version);
        Assert.Equal([ReasonCode.GrantedQoS1, ReasonCode.GrantedQoS1, refusal], await SubscribeAsync(raw, "1", "2", "3"));
        Assert.Equal([ReasonCode.GrantedQoS1, ReasonCode.GrantedQoS1], await SubscribeAsync(raw, "1", "2"));
        Assert.Equal((2, 1L), (Usage("alice").Subscriptions, Account("alice").Met(QuotaKind.Subscriptions)));
        await raw.SendAsync(new UnsubscribePacket { PacketId = 3, Filters = ["1", "none"] });
        await raw.ReceiveAsync<SubAckPacket>();
        Assert.Equal([ReasonCode.GrantedQoS1, refusal], await SubscribeAsync(raw, "$share/g/3", "4"));
        await LeaveAsync(raw, "a");
        using var again = await ConnectAsync("alice", "a", version);
        Assert.Equal([ReasonCode.GrantedQoS1], await SubscribeAsync(again, "5"));
        Assert.Equal(1, Usage("alice").Subscriptions);
    }

    [Fact]
    public async Task Subscriptions_that_a_review_removes_are_given_back()
    {
        Alice(new Quotas { SubscriptionsMax = 2 });
        using var raw = await ConnectAsync("alice", "a");
        await SubscribeAsync(raw, "open", "secret");
        Change(Users.Make("alice", "right", "allow read open/#") with { Quotas = new Quotas { SubscriptionsMax = 2 } });
        Assert.Equal(1, Usage("alice").Subscriptions);
        Assert.Equal([ReasonCode.GrantedQoS1], await SubscribeAsync(raw, "open/2"));
    }

    [Fact]
    public async Task The_window_towards_a_client_is_the_smallest_of_all_and_grows_with_a_review()
    {
        Alice(new Quotas { InFlightMax = 2 });
        using var raw = await ConnectAsync("alice", "a");
        await SubscribeAsync(raw, "t");
        for (var i = 0; i < 6; i++) Broker.Publish(Messages.Message("t", $"{i}", QoS.AtLeastOnce));
        for (var i = 0; i < 2; i++) await raw.ReceiveAsync<PublishPacket>();
        await raw.NothingCameAsync();
        await raw.SendAsync(Messages.Ack(PacketType.PubAck, 1));
        Assert.Equal("2", (await raw.ReceiveAsync<PublishPacket>()).Message.Text());
        await raw.NothingCameAsync();
        Alice(new Quotas { InFlightMax = 4 });
        for (var i = 3; i < 5; i++) Assert.Equal($"{i}", (await raw.ReceiveAsync<PublishPacket>()).Message.Text());
        await raw.NothingCameAsync();
        Assert.Equal(1, Usage("alice").QueuedMessages);
    }

    [Fact]
    public async Task Messages_beyond_what_may_wait_are_dropped_and_counted_and_the_publisher_hears_nothing_of_it()
    {
        Alice(new Quotas { QueuedMessagesMax = 3 });
        foreach (var id in new[] { "a", "b" })
        {
            using var raw = await ConnectAsync("alice", id, expiry: 100);
            await SubscribeAsync(raw, id);
            await LeaveAsync(raw, id, gone: false);
        }

        using var bob = await ConnectAsync("bob", "p");
        foreach (var topic in new[] { "a", "a", "b", "b", "a" }) Assert.Equal(ReasonCode.Success, await bob.PublishAsync(Messages.Message(topic)));
        Assert.Equal((3, 2L), (Usage("alice").QueuedMessages, Account("alice").Met(QuotaKind.Queue)));
        using var back = await ConnectAsync("alice", "a", expiry: 100, clean: false);
        for (var i = 0; i < 2; i++) await back.ReceiveAsync<PublishPacket>();
        Assert.Equal(1, Usage("alice").QueuedMessages);
        Assert.Equal(ReasonCode.Success, await bob.PublishAsync(Messages.Message("b")));
        Assert.Equal(2, Usage("alice").QueuedMessages);
        Broker.EndSession("b");
        Assert.Equal(new QuotaUsage(Connections: 1, Subscriptions: 1), Usage("alice"));
    }

    [Fact]
    public async Task What_waits_is_bounded_in_bytes_too()
    {
        var message = Messages.Message("a", new string('x', 1000), QoS.AtLeastOnce);
        Alice(new Quotas { QueuedBytesMax = (2 * message.QueuedBytes) + 10 });
        using var raw = await ConnectAsync("alice", "a", expiry: 100);
        await SubscribeAsync(raw, "a");
        await LeaveAsync(raw, "a", gone: false);
        for (var i = 0; i < 4; i++) Broker.Publish(message);
        Assert.Equal((2, 2L * message.QueuedBytes, 2L), (Usage("alice").QueuedMessages, Usage("alice").QueuedBytes, Account("alice").Met(QuotaKind.Queue)));
        Broker.EndSession("a");
        Assert.Equal(default, Usage("alice"));
    }

    [Fact]
    public async Task Retained_messages_are_sent_to_a_subscriber_whose_account_has_no_room_for_more_that_wait()
    {
        Alice(new Quotas { QueuedMessagesMax = 1 });
        using (var away = await ConnectAsync("alice", "a", expiry: 100))
        {
            await SubscribeAsync(away, "w");
            await LeaveAsync(away, "a", gone: false);
        }

        Broker.Publish(Messages.Message("w", qos: QoS.AtLeastOnce));
        for (var i = 0; i < 3; i++) Broker.Publish(Messages.Message($"r/{i}", qos: QoS.AtLeastOnce, retain: true));
        using var here = await ConnectAsync("alice", "b", receiveMaximum: 2);
        await SubscribeAsync(here, "r/#");
        for (var i = 0; i < 2; i++) await here.ReceiveAsync<PublishPacket>();
        await here.NothingCameAsync();
        Assert.Equal((1, 1L), (Usage("alice").QueuedMessages, Account("alice").Met(QuotaKind.Queue)));
    }

    [Fact]
    public async Task Who_publishes_too_fast_is_not_read_from_until_the_rate_is_kept_and_others_are()
    {
        Alice(new Quotas { MessagesPerSecond = 2 });
        using var alice = await ConnectAsync("alice", "a");
        using var bob = await ConnectAsync("bob", "b");
        await BurstAsync(alice, 5);
        for (ushort i = 1; i <= 4; i++) Assert.Equal(i, (await alice.ReceiveAckAsync(PacketType.PubAck)).PacketId);
        await PausedAsync(1);
        Assert.Equal((4L, 1L), (Broker.Statistics.MessagesIn, Account("alice").Met(QuotaKind.MessageRate)));
        for (var i = 0; i < 5; i++) Assert.Equal(ReasonCode.NoMatchingSubscribers, await bob.PublishAsync(Messages.Message("t")));
        Time.AdvanceSeconds(0.9);
        Assert.Equal(1, Pauses);
        Time.AdvanceSeconds(0.2);
        Assert.Equal(5, (await alice.ReceiveAckAsync(PacketType.PubAck)).PacketId);
        await PausedAsync(1);
        // The rest of it, and then a second's worth at once again.
        Time.AdvanceSeconds(3);
        await BurstAsync(alice, 2);
        for (ushort i = 1; i <= 2; i++) await alice.ReceiveAckAsync(PacketType.PubAck);
        await alice.NothingCameAsync();
    }

    [Fact]
    public async Task The_rate_holds_for_all_clients_of_a_user_and_for_one_that_comes_back_for_each_message()
    {
        Alice(new Quotas { MessagesPerSecond = 1 });
        using var first = await ConnectAsync("alice", "a");
        using var second = await ConnectAsync("alice", "b");
        await first.PublishAsync(Messages.Message("t"));
        await second.PublishAsync(Messages.Message("t"));
        await PausedAsync(1);
        using var third = await Loopback.OpenRawAsync();
        var message = Messages.Publish(Messages.Message("t", qos: QoS.AtLeastOnce), 1);
        await third.SendAsync(Connect("alice", "c"), message, new ReasonPacket(PacketType.Disconnect));
        await third.ReceiveAsync<ConnAckPacket>();
        await PausedAsync(2);
        Assert.Equal(2, Broker.Statistics.MessagesIn);
        Time.AdvanceSeconds(1);
        await third.ReceiveAckAsync(PacketType.PubAck);
    }

    [Fact]
    public async Task A_wider_quota_ends_a_pause_and_silence_in_it_is_not_the_clients()
    {
        Alice(new Quotas { MessagesPerSecond = 0.01 });
        using var raw = await ConnectAsync("alice", "a", keepAlive: 5);
        await BurstAsync(raw, 3);
        await raw.ReceiveAckAsync(PacketType.PubAck);
        await PausedAsync(1);
        Time.AdvanceSeconds(60);
        Assert.Equal(1, Usage("alice").Connections);
        Alice(new Quotas { MessagesPerSecond = 1000 });
        for (var i = 0; i < 2; i++) await raw.ReceiveAckAsync(PacketType.PubAck);
        await raw.NothingCameAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_pause_ends_with_the_connection_and_with_the_broker(bool broker)
    {
        Alice(new Quotas { MessagesPerSecond = 0.001 });
        using var raw = await ConnectAsync("alice", "a");
        await BurstAsync(raw, 2);
        await raw.ReceiveAckAsync(PacketType.PubAck);
        await PausedAsync(1);
        if (broker) await Within.Reason(Broker.StopAsync());
        else Assert.True(Broker.Disconnect("a"));
        await raw.EndsAsync(broker ? ReasonCode.ServerShuttingDown : ReasonCode.AdministrativeAction);
        await Within.Until(() => Usage("alice") == default, "all is given back");
    }

    [Theory]
    [InlineData(ProtocolVersion.V5)]
    [InlineData(ProtocolVersion.V311)]
    public async Task A_packet_larger_than_announced_ends_the_connection(ProtocolVersion version)
    {
        Alice(new Quotas { PacketBytesMax = 500 });
        using var raw = await ConnectAsync("alice", "a", version);
        if (version == ProtocolVersion.V5) Assert.Equal(500u, raw.Accepted.Properties.MaximumPacketBytes);
        Assert.False((await raw.PublishAsync(Messages.Message("t", new string('x', 400)))).IsFailure());
        Alice(new Quotas { PacketBytesMax = 2_000_000 });
        await raw.SendAsync(Messages.Publish(Messages.Message("t", new string('x', 500))));
        await raw.EndsAsync(ReasonCode.PacketTooLarge);
        Assert.Equal(0, Account("alice").Met(QuotaKind.PacketBytes)); // whose bound is another by now
        using var again = await ConnectAsync("alice", "a", version);
        if (version == ProtocolVersion.V5) Assert.Equal(1u << 20, again.Accepted.Properties.MaximumPacketBytes);
        Alice(new Quotas { PacketBytesMax = 500 });
        Assert.False((await again.PublishAsync(Messages.Message("t", new string('x', 1000)))).IsFailure());
        using var third = await ConnectAsync("alice", "a", version);
        await third.SendAsync(Messages.Publish(Messages.Message("t", new string('x', 500))));
        await third.EndsAsync(ReasonCode.PacketTooLarge);
        Assert.Equal(1, Account("alice").Met(QuotaKind.PacketBytes));
    }

    [Fact]
    public async Task A_retained_message_too_many_is_refused_and_one_in_place_of_the_own_is_not()
    {
        Alice(new Quotas { RetainedMessagesMax = 2 });
        using var alice = await ConnectAsync("alice", "a");
        using var bob = await ConnectAsync("bob", "b");
        foreach (var topic in new[] { "1", "2", "1" }) Assert.False((await RetainAsync(alice, topic, "x")).IsFailure());
        Assert.Equal(ReasonCode.QuotaExceeded, await RetainAsync(alice, "3", "x"));
        await alice.SendAsync(Messages.Publish(Messages.Message("3", retain: true)));
        await alice.NothingCameAsync();
        Assert.Equal((2, 2L, 2), (Usage("alice").RetainedMessages, Account("alice").Met(QuotaKind.Retained), Broker.Statistics.RetainedMessages));
        Assert.False((await RetainAsync(alice, "1", string.Empty)).IsFailure());
        Assert.False((await RetainAsync(alice, "3", "x")).IsFailure());
        // Whoever published it last has it.
        Assert.False((await RetainAsync(bob, "3", "x")).IsFailure());
        Assert.Equal(1, Usage("alice").RetainedMessages);
        Assert.False((await RetainAsync(alice, "1", "x")).IsFailure());
        Assert.Equal(ReasonCode.QuotaExceeded, await RetainAsync(alice, "3", "x"));
        foreach (var topic in new[] { "1", "2", "3" }) Broker.Publish(Messages.Message(topic, string.Empty, retain: true));
        Assert.Equal(new QuotaUsage(Connections: 1), Usage("alice"));
    }

    [Fact]
    public async Task Retained_bytes_are_bounded_and_an_expired_message_gives_them_back()
    {
        Alice(new Quotas { RetainedBytesMax = 3000 });
        using var alice = await ConnectAsync("alice", "a");
        Assert.False((await RetainAsync(alice, "1", new string('x', 1000), expiry: 10)).IsFailure());
        Assert.Equal(ReasonCode.QuotaExceeded, await RetainAsync(alice, "2", new string('x', 2000)));
        Assert.False((await RetainAsync(alice, "1", new string('x', 2000), expiry: 10)).IsFailure());
        Assert.Equal(ReasonCode.QuotaExceeded, await RetainAsync(alice, "1", new string('x', 3000)));
        Assert.InRange(Usage("alice").RetainedBytes, 2001, 3000);
        Time.AdvanceSeconds(60);
        Assert.Equal(new QuotaUsage(Connections: 1), Usage("alice"));
        Assert.False((await RetainAsync(alice, "2", new string('x', 2000))).IsFailure());
    }

    [Fact]
    public async Task A_will_beyond_the_quota_is_published_and_not_retained()
    {
        Alice(new Quotas { RetainedMessagesMax = 1 });
        using var bob = await ConnectAsync("bob", "b");
        await SubscribeAsync(bob, "will/#");
        foreach (var id in new[] { "1", "2" })
        {
            using (await ConnectAsync("alice", id, will: Messages.Message($"will/{id}", retain: true)))
            {
            }

            Assert.Equal($"will/{id}", (await bob.ReceiveAsync<PublishPacket>()).Message.Topic);
        }

        Assert.Equal((1, 1L), (Broker.Statistics.RetainedMessages, Account("alice").Met(QuotaKind.Retained)));
    }

    [Fact]
    public async Task The_tenant_s_quota_binds_all_its_users_besides_their_own()
    {
        Change([new Tenant("acme") { Quotas = new Quotas { SubscriptionsMax = 3 } }], Member("alice", 2), Member("bob", 2));
        using var alice = await ConnectAsync("alice", "a");
        using var bob = await ConnectAsync("bob", "b");
        Assert.Equal([ReasonCode.GrantedQoS1, ReasonCode.GrantedQoS1, ReasonCode.QuotaExceeded], await SubscribeAsync(alice, "1", "2", "3"));
        Assert.Equal([ReasonCode.GrantedQoS1, ReasonCode.QuotaExceeded], await SubscribeAsync(bob, "1", "2"));
        var acme = Access.AccountOf(Access.Directory.FindTenant("acme")!)!;
        Assert.Equal((3, 1L), (acme.Usage.Subscriptions, acme.Met(QuotaKind.Subscriptions)));
        Assert.Equal((1L, 0L), (Account("alice").Met(QuotaKind.Subscriptions), Account("bob").Met(QuotaKind.Subscriptions)));
        await LeaveAsync(alice, "a");
        Assert.Equal([ReasonCode.GrantedQoS1, ReasonCode.QuotaExceeded], await SubscribeAsync(bob, "2", "3"));
        Assert.Equal((new QuotaUsage(1, 2), default(QuotaUsage)), (acme.Usage, Usage("alice")));

        static User Member(string name, int subscriptions) =>
            Users.Make(name) with { Tenant = "acme", Quotas = new Quotas { SubscriptionsMax = subscriptions } };
    }

    [Fact]
    public async Task A_quota_below_what_is_used_takes_nothing_away_and_one_given_later_counts_what_is_there()
    {
        Alice(Quotas.None);
        using var first = await ConnectAsync("alice", "a", expiry: 100);
        using var second = await ConnectAsync("alice", "b", expiry: 100);
        await SubscribeAsync(first, "1", "2");
        await LeaveAsync(first, "a", gone: false);
        Broker.Publish(Messages.Message("1", qos: QoS.AtLeastOnce));
        Broker.Publish(Messages.Message("2", qos: QoS.AtLeastOnce));
        Alice(new Quotas { ConnectionsMax = 1, SubscriptionsMax = 1, QueuedMessagesMax = 1 });
        Assert.Equal((1, 2, 2), (Usage("alice").Connections, Usage("alice").Subscriptions, Usage("alice").QueuedMessages));
        Assert.Equal([ReasonCode.QuotaExceeded], await SubscribeAsync(second, "3"));
        Broker.Publish(Messages.Message("1", qos: QoS.AtLeastOnce));
        Assert.Equal(2, Usage("alice").QueuedMessages);
        var account = Account("alice");
        Alice(Quotas.None);
        Assert.Equal(default, account.Usage);
        Assert.Equal([ReasonCode.GrantedQoS1], await SubscribeAsync(second, "3"));
        using var third = await ConnectAsync("alice", "c");
    }

    [Fact]
    public async Task What_was_kept_over_a_restart_is_its_user_s_again_but_for_retained_messages()
    {
        var alice = Users.Make("alice") with { Quotas = new Quotas { SubscriptionsMax = 1, QueuedMessagesMax = 1, RetainedMessagesMax = 1 } };
        using var before = new UserAccess(Users.Directory(alice));
        using var after = new UserAccess(Users.Directory(alice));
        var accesses = new Queue<UserAccess>([before, after]);
        await using var durable = await DurableBroker.StartAsync(options => options.Access = accesses.Dequeue());
        using (var raw = await RawClient.ConnectAsync(durable.Address, Connect("alice", "a", expiry: 1000))) await SubscribeAsync(raw, "t");
        await Within.Until(() => !durable.Broker.Clients[0].Connected, "away");
        using var publisher = await RawClient.ConnectAsync(durable.Address, Connect("alice", "p"));
        await publisher.PublishAsync(Messages.Message("t"));
        await RetainAsync(publisher, "r", "x");
        await durable.PullThePlugAsync();

        Assert.Equal(1, durable.Broker.Statistics.RetainedMessages);
        var account = after.AccountOf(alice)!;
        Assert.Equal(new QuotaUsage(Subscriptions: 1, QueuedMessages: 1, QueuedBytes: account.Usage.QueuedBytes), account.Usage);
        using var again = await RawClient.ConnectAsync(durable.Address, Connect("alice", "p"));
        Assert.Equal([ReasonCode.QuotaExceeded], await SubscribeAsync(again, "u"));
        await again.PublishAsync(Messages.Message("t"));
        Assert.False((await RetainAsync(again, "r", "y")).IsFailure());
        Assert.Equal((1, 1, 1L), (account.Usage.QueuedMessages, account.Usage.RetainedMessages, account.Met(QuotaKind.Queue)));
        durable.Broker.EndSession("a");
        Assert.Equal((0, 0, 0L), (account.Usage.Subscriptions, account.Usage.QueuedMessages, account.Usage.QueuedBytes));
    }
}
