using System.Text;
using EdgeFirmware.Mqtt.Access;
using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Access;

/// <summary>Rules that change while clients are connected.</summary>
public sealed class ReviewTests : IAsyncLifetime
{
    private readonly UserAccess _access = new(Users.Directory(Users.Make("alice"), Users.Make("bob")));
    private LoopbackBroker _loopback = null!;

    public async Task InitializeAsync() => _loopback = await LoopbackBroker.StartAsync(options => options.Access = _access);

    public async Task DisposeAsync()
    {
        await _loopback.DisposeAsync();
        _access.Dispose();
    }

    [Fact]
    public async Task Who_keeps_its_rights_notices_nothing()
    {
        using var alice = await ConnectAsync("alice", "a");
        await alice.SubscribeAsync("t", QoS.AtMostOnce);
        var summary = Change(Users.Make("alice"), Users.Make("bob", "right", "allow read x"));
        Assert.Equal((0, 0), (summary.Disconnected, summary.SubscriptionsRemoved));
        await alice.SendAsync(Messages.Publish(Messages.Message("t")));
        Assert.Equal("t", (await alice.ReceiveAsync<PublishPacket>()).Message.Topic);
    }

    [Theory]
    [InlineData("removed")]
    [InlineData("disabled")]
    [InlineData("password")]
    public async Task Who_may_not_connect_any_more_is_told_0x87_and_its_will_is_not_published(string how)
    {
        using var bob = await ConnectAsync("bob", "b");
        await bob.SubscribeAsync("will", QoS.AtMostOnce);
        using var alice = await ConnectAsync("alice", "a", will: "will");
        var summary = how switch
        {
            "removed" => Change(Users.Make("bob")),
            "disabled" => Change(Users.Make("alice") with { IsEnabled = false }, Users.Make("bob")),
            _ => Change(Users.Make("alice", "another"), Users.Make("bob")),
        };
        Assert.Equal((1, 1), (summary.Disconnected, summary.WillsRemoved));
        Assert.Equal(ReasonCode.NotAuthorized, (await alice.ReceiveAsync<ReasonPacket>()).Reason);
        Assert.Null(await alice.ReceiveAsync());
        await bob.SendAsync(Messages.Publish(Messages.Message("will", "mine")));
        Assert.Equal("mine", (await bob.ReceiveAsync<PublishPacket>()).Message.Text());
        using var again = await _loopback.OpenRawAsync();
        await again.SendAsync(Connect("alice", "a"));
        Assert.True((await again.ReceiveAsync<ConnAckPacket>()).Reason.IsFailure());
    }

    [Fact]
    public async Task A_subscription_that_is_not_allowed_any_more_is_removed_and_others_stay()
    {
        using var alice = await ConnectAsync("alice", "a");
        await alice.SubscribeAsync("secret/#", QoS.AtMostOnce);
        await alice.SubscribeAsync("open/#", QoS.AtMostOnce);
        await alice.SubscribeAsync("$share/g/secret/#", QoS.AtMostOnce);
        var summary = Change(Users.Make("alice", "right", "allow read open/#"), Users.Make("bob"));
        Assert.Equal((0, 2), (summary.Disconnected, summary.SubscriptionsRemoved));
        _loopback.Broker.Publish(Messages.Message("secret/x"));
        _loopback.Broker.Publish(Messages.Message("open/x"));
        Assert.Equal("open/x", (await alice.ReceiveAsync<PublishPacket>()).Message.Topic);
        await alice.SendAsync(Messages.Publish(Messages.Message("open/x", qos: QoS.AtLeastOnce), 7));
        Assert.Equal(ReasonCode.NotAuthorized, (await alice.ReceiveAckAsync(PacketType.PubAck)).Reason);
        Assert.Equal(1, _loopback.Broker.Statistics.Subscriptions);
    }

    [Fact]
    public async Task What_waits_for_an_absent_client_and_is_not_its_to_read_any_more_is_dropped()
    {
        using (var alice = await ConnectAsync("alice", "a", expiry: 100))
        {
            await alice.SubscribeAsync("secret", QoS.AtLeastOnce);
            await alice.SubscribeAsync("open", QoS.AtLeastOnce);
        }

        await Within.Until(() => _loopback.Broker.Clients.All(client => !client.Connected), "away");
        _loopback.Broker.Publish(Messages.Message("secret", qos: QoS.AtLeastOnce));
        _loopback.Broker.Publish(Messages.Message("open", qos: QoS.AtLeastOnce));
        Assert.Equal(1, Change(Users.Make("alice", "right", "allow read open"), Users.Make("bob")).SubscriptionsRemoved);
        using var back = await _loopback.OpenRawAsync();
        await back.SendAsync(Connect("alice", "a", expiry: 100, clean: false));
        Assert.True((await back.ReceiveAsync<ConnAckPacket>()).SessionPresent);
        Assert.Equal("open", (await back.ReceiveAsync<PublishPacket>()).Message.Topic);
        Assert.Equal(0, Assert.Single(_loopback.Broker.Clients).QueuedMessages);
    }

    [Fact]
    public async Task A_will_that_is_not_allowed_any_more_is_not_published()
    {
        using var bob = await ConnectAsync("bob", "b");
        await bob.SubscribeAsync("#", QoS.AtMostOnce);
        var alice = await ConnectAsync("alice", "a", will: "will");
        Assert.Equal(1, Change(Users.Make("alice", "right", "allow write t"), Users.Make("bob")).WillsRemoved);
        alice.Dispose();
        await Within.Until(() => _loopback.Broker.Clients.Count == 1, "gone");
        _loopback.Broker.Publish(Messages.Message("after"));
        Assert.Equal("after", (await bob.ReceiveAsync<PublishPacket>()).Message.Topic);
    }

    [Fact]
    public async Task Another_user_does_not_get_a_session_by_its_client_id()
    {
        using (var alice = await ConnectAsync("alice", "a", expiry: 100)) await alice.SubscribeAsync("t", QoS.AtLeastOnce);
        await Within.Until(() => _loopback.Broker.Clients.All(client => !client.Connected), "away");
        _loopback.Broker.Publish(Messages.Message("t", qos: QoS.AtLeastOnce));
        foreach (var clean in new[] { false, true })
        {
            using var bob = await _loopback.OpenRawAsync();
            await bob.SendAsync(Connect("bob", "a", clean: clean));
            Assert.Equal(ReasonCode.ClientIdentifierNotValid, (await bob.ReceiveAsync<ConnAckPacket>()).Reason);
        }

        Assert.Equal(("alice", 1), (_loopback.Broker.Clients[0].User, _loopback.Broker.Clients[0].QueuedMessages));
    }

    [Fact]
    public async Task A_client_id_that_the_broker_assigned_fills_the_pattern()
    {
        Change(Users.Make("alice", "right", "allow all by/%c/#"), Users.Make("bob"));
        using var raw = await _loopback.OpenRawAsync();
        await raw.SendAsync(Connect("alice", string.Empty));
        var assigned = (await raw.ReceiveAsync<ConnAckPacket>()).Properties.AssignedClientId;
        await raw.SubscribeAsync($"by/{assigned}/+", QoS.AtMostOnce);
    }

    [Fact]
    public async Task The_retain_flag_needs_its_right()
    {
        Change(Users.Make("alice", "right", "allow read,write #"), Users.Make("bob"));
        using var alice = await ConnectAsync("alice", "a");
        await alice.SendAsync(Messages.Publish(Messages.Message("t", qos: QoS.AtLeastOnce, retain: true), 1));
        Assert.Equal(ReasonCode.NotAuthorized, (await alice.ReceiveAckAsync(PacketType.PubAck)).Reason);
        await alice.SendAsync(Messages.Publish(Messages.Message("t", qos: QoS.AtLeastOnce), 2));
        Assert.Equal(ReasonCode.NoMatchingSubscribers, (await alice.ReceiveAckAsync(PacketType.PubAck)).Reason);
        Assert.Equal(0, _loopback.Broker.Statistics.RetainedMessages);
        using var willing = await _loopback.OpenRawAsync();
        var connect = Connect("alice", "w");
        await willing.SendAsync(new ConnectPacket
        {
            Version = connect.Version, ClientId = "w", CleanStart = true, UserName = "alice", Password = connect.Password,
            Will = new LastWill(Messages.Message("t", retain: true)),
        });
        Assert.Equal(ReasonCode.NotAuthorized, (await willing.ReceiveAsync<ConnAckPacket>()).Reason);
    }

    private ReviewSummary Change(params User[] users)
    {
        _access.Replace(Users.Directory(users));
        return _loopback.Broker.Review();
    }

    private async Task<RawClient> ConnectAsync(string user, string clientId, string? will = null, uint? expiry = null)
    {
        var raw = await _loopback.OpenRawAsync();
        await raw.SendAsync(Connect(user, clientId, will, expiry));
        Assert.Equal(ReasonCode.Success, (await raw.ReceiveAsync<ConnAckPacket>()).Reason);
        return raw;
    }

    private static ConnectPacket Connect(string user, string clientId, string? will = null, uint? expiry = null, bool clean = true) => new()
    {
        Version = ProtocolVersion.V5,
        ClientId = clientId,
        CleanStart = clean,
        UserName = user,
        Password = Encoding.UTF8.GetBytes("right"),
        Will = will is null ? null : new LastWill(Messages.Message(will)),
        Properties = new PacketProperties { SessionExpirySeconds = expiry },
    };
}
