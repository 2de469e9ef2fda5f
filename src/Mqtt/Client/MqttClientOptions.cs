using System.Net;
using System.Net.Sockets;
using EdgeFirmware.Mqtt.Authentication;
using EdgeFirmware.Mqtt.Bridge;
using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Durability;
using EdgeFirmware.Mqtt.Packets;
using EdgeFirmware.Mqtt.Transport.Tls;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeFirmware.Mqtt.Client;

/// <summary>Everything a client is given when it is made. Not to be changed afterwards.</summary>
public sealed class MqttClientOptions
{
    /// <value>An <see cref="IPEndPoint"/>, <see cref="DnsEndPoint"/> or <see cref="UnixDomainSocketEndPoint"/>.</value>
    public EndPoint Server { get; set; } = new IPEndPoint(IPAddress.Loopback, 1883);

    /// <value>TLS; null: none.</value>
    public TlsClientOptions? Tls { get; set; }

    /// <value>WebSocket at this path, usually "/mqtt", over TLS or not; null: no WebSocket.</value>
    public string? WebSocketPath { get; set; }

    public ProtocolVersion Version { get; set; } = ProtocolVersion.V5;

    /// <value>Empty: the broker assigns one.</value>
    public string ClientId { get; set; } = string.Empty;

    public string? UserName { get; set; }

    public string? Password { get; set; }

    /// <value>Enhanced authentication (version 5), instead of or besides user name and password; such as a <see cref="ScramClient"/>.</value>
    public IClientAuthentication? Authentication { get; set; }

    /// <value>Ask the broker where to have answers sent; see <see cref="ConnectResult.ResponseInformation"/>.</value>
    public bool RequestResponseInformation { get; set; }

    /// <value>False: reason strings only where the connection is refused or ended (version 5); null: the broker's choice.</value>
    public bool? RequestProblemInformation { get; set; }

    /// <value>Told to the broker when connecting (version 5).</value>
    public IReadOnlyList<UserProperty> UserProperties { get; set; } = [];

    /// <value>Address of this machine to connect from; null: the kernel's choice. TCP only.</value>
    public IPAddress? LocalAddress { get; set; }

    /// <value>Forget an earlier session of this client id.</value>
    public bool CleanStart { get; set; } = true;

    /// <value>
    /// How long the broker keeps the session after the connection ends; with <see cref="Durability"/> 0 counts as for ever. MQTT 3.1.1 keeps
    /// it exactly when not a clean start.
    /// </value>
    public uint SessionExpirySeconds { get; set; }

    /// <value>Zero: none.</value>
    public TimeSpan KeepAlive { get; set; } = TimeSpan.FromSeconds(60);

    public LastWill? Will { get; set; }

    /// <value>Messages of QoS 1 and 2 the broker may send ahead of their acknowledgement.</value>
    public ushort ReceiveMaximum { get; set; } = 1024;

    /// <value>Topic aliases the broker may use.</value>
    public ushort TopicAliasMaximum { get; set; }

    /// <value>Topic aliases used towards a broker that takes so many: the first topics published to have one.</value>
    public ushort OwnTopicAliasMaximum { get; set; } = 16;

    public int PacketBytesMax { get; set; } = 1 << 20;

    /// <value>Messages of QoS 0 that wait to be read; further ones are dropped.</value>
    public int UnreadMax { get; set; } = 10_000;

    /// <value>Messages that wait to be sent, besides those in flight.</value>
    public int QueuedMessagesMax { get; set; } = 10_000;

    /// <value>Their size, with the bookkeeping around them. One message always fits.</value>
    public long QueuedBytesMax { get; set; } = 8 << 20;

    /// <value>What becomes of a message for which there is no room, in the queue or on the disk.</value>
    public FullQueue WhenQueueIsFull { get; set; }

    /// <value>
    /// Keeps the session's QoS 1 and 2 messages of both directions in a directory, so that they outlive this process and a power cut.
    /// The client never starts clean then, and needs an id. One client at a time may use the directory. Null: in memory only.
    /// </value>
    public DurabilityOptions? Durability { get; set; }

    /// <value>
    /// Told of messages that were promised to be sent by <see cref="MqttClient.EnqueueAsync"/> and are not: refused by the broker, expired or
    /// larger than it takes. Those of an earlier process are only logged.
    /// </value>
    public Action<MqttMessage, ReasonCode>? Undeliverable { get; set; }

    /// <value>Acknowledge with <see cref="ReceivedMessage.Acknowledge"/>. Otherwise a message is acknowledged when it is read.</value>
    public bool AcknowledgeManually { get; set; }

    /// <value>Connect again after a loss, with the same session, and subscribe again where the broker has lost it.</value>
    public bool Reconnect { get; set; }

    /// <value>First wait before connecting again; doubles up to <see cref="ReconnectDelayMax"/>, see <see cref="BackOff"/>.</value>
    public TimeSpan ReconnectDelay { get; set; } = TimeSpan.FromMilliseconds(100);

    public TimeSpan ReconnectDelayMax { get; set; } = TimeSpan.FromSeconds(30);

    /// <value>From the first SYN to CONNACK.</value>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <value>Seed of the waits before connecting again, to replay a run; null: a different one each time.</value>
    public int? RandomSeed { get; set; }

    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    public ILogger Logger { get; set; } = NullLogger.Instance;

    /// <exception cref="ArgumentException">Something cannot be said in a CONNECT of this version.</exception>
    internal void Check()
    {
        if (Durability is not null && ClientId.Length == 0) throw new ArgumentException("To keep messages a client needs an id.");
        if (Will is { } will) PacketText.Check(will.Message);
        PacketText.Check(UserProperties);
        if (!PacketText.IsValid(ClientId) || !PacketText.IsValid(UserName)) throw new ArgumentException("The client id or user name cannot be said.");
        if (Version != ProtocolVersion.V311) return;
        // [MQTT-3.1.3-7] and [MQTT-3.1.2-22] of 3.1.1.
        if (ClientId.Length == 0 && !CleanStart) throw new ArgumentException("MQTT 3.1.1 keeps no session for a client without an id.");
        if (Password is not null && UserName is null) throw new ArgumentException("MQTT 3.1.1 has no password without a user name.");
    }

    internal uint KeptSessionExpirySeconds => SessionExpirySeconds == 0 && Durability is not null ? uint.MaxValue : SessionExpirySeconds;

    /// <summary>Address and port, or path, without what .NET puts before it.</summary>
    internal static string TextOf(EndPoint server) => server is DnsEndPoint name ? $"{name.Host}:{name.Port}" : server.ToString()!;

    /// <summary>What a bridge wants of the other broker, whatever was said.</summary>
    internal void PrepareForBridge(MqttBroker broker)
    {
        CleanStart = false;
        SessionExpirySeconds = uint.MaxValue;
        ReceiveMaximum = (ushort)Math.Min(broker.Options.Limits.ReceiveMax, ushort.MaxValue);
        TopicAliasMaximum = (ushort)broker.Options.Limits.TopicAliasMax;
        UserProperties = [.. UserProperties, new UserProperty(BridgeMark.Broker, broker.Options.Identity!)];
    }

    public static EndPoint Tcp(string host, int port) =>
        IPAddress.TryParse(host, out var address) ? new IPEndPoint(address, port) : new DnsEndPoint(host, port);

    public static EndPoint Unix(string path) => new UnixDomainSocketEndPoint(path);
}
