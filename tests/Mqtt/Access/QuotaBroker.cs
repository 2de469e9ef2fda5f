using System.Text;
using EdgeFirmware.Mqtt.Access;
using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Access;

/// <summary>A broker whose users have quotas, by a clock that the test moves.</summary>
public abstract class QuotaBroker : IAsyncLifetime
{
    private protected UserAccess Access { get; } = new(UserDirectory.Empty);

    private protected ManualTime Time { get; } = new();

    private protected LoopbackBroker Loopback { get; private set; } = null!;

    private protected MqttBroker Broker => Loopback.Broker;

    public async Task InitializeAsync() => Loopback = await LoopbackBroker.StartAsync(options => (options.Access, options.TimeProvider) = (Access, Time));

    public async Task DisposeAsync()
    {
        await Loopback.DisposeAsync();
        Access.Dispose();
    }

    private protected int Pauses => Time.Timers - 1;

    private protected Task PausedAsync(int clients) => Within.Until(() => Pauses == clients, $"{clients} not read from");

    private protected void Alice(Quotas quotas) => Change(Users.Make("alice") with { Quotas = quotas }, Users.Make("bob"));

    private protected void Change(params User[] users) => Change([], users);

    private protected void Change(Tenant[] tenants, params User[] users)
    {
        Access.Replace(new UserDirectory(users, tenants));
        Broker.Review();
    }

    private protected QuotaAccount Account(string user) => Access.AccountOf(Access.Directory.FindUser(user)!)!;

    private protected QuotaUsage Usage(string user) => Account(user).Usage;

    private protected async Task<RawClient> ConnectAsync(
        string user, string clientId, ProtocolVersion version = ProtocolVersion.V5, uint? expiry = null, bool clean = true, MqttMessage? will = null,
        ushort keepAlive = 0, ushort? receiveMaximum = null)
    {
        var raw = await Loopback.OpenRawAsync(version);
        await raw.SendAsync(Connect(user, clientId, version, expiry, clean, will, keepAlive, receiveMaximum));
        raw.Accepted = await raw.ReceiveAsync<ConnAckPacket>();
        Assert.Equal(ReasonCode.Success, raw.Accepted.Reason);
        return raw;
    }

    private protected static ConnectPacket Connect(
        string user, string clientId, ProtocolVersion version = ProtocolVersion.V5, uint? expiry = null, bool clean = true, MqttMessage? will = null,
        ushort keepAlive = 0, ushort? receiveMaximum = null) => new()
    {
        Version = version,
        ClientId = clientId,
        CleanStart = clean,
        UserName = user,
        Password = Encoding.UTF8.GetBytes("right"),
        Will = will is null ? null : new LastWill(will),
        KeepAliveSeconds = keepAlive,
        Properties = new PacketProperties { SessionExpirySeconds = expiry, ReceiveMaximum = receiveMaximum },
    };

    private protected static async Task<IReadOnlyList<ReasonCode>> SubscribeAsync(RawClient raw, params string[] filters)
    {
        var entries = filters.Select(filter => new SubscribeEntry(filter, new SubscriptionOptions(QoS.AtLeastOnce))).ToArray();
        await raw.SendAsync(new SubscribePacket { PacketId = 9, Entries = entries });
        return (await raw.ReceiveAsync<SubAckPacket>()).Reasons;
    }

    private protected static Task<ReasonCode> RetainAsync(RawClient raw, string topic, string payload, uint? expiry = null) =>
        raw.PublishAsync(Messages.Message(topic, payload, retain: true) with { MessageExpirySeconds = expiry });

    private protected static Task BurstAsync(RawClient raw, int messages) => raw.SendAsync(
        [.. Enumerable.Range(1, messages).Select(i => Messages.Publish(Messages.Message("t", qos: QoS.AtLeastOnce), (ushort)i))]);

    /// <summary>Says goodbye, and waits until the broker has taken note.</summary>
    private protected async Task LeaveAsync(RawClient raw, string clientId, bool gone = true)
    {
        await raw.SendAsync(new ReasonPacket(PacketType.Disconnect));
        await Within.Until(() => Broker.Clients.All(client => client.ClientId != clientId || !(gone || client.Connected)), $"{clientId} left");
    }
}
