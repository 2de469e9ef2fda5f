namespace EdgeFirmware.Mqtt.Broker;

/// <summary>
/// A bound on everything a client can make the broker hold. The defaults suit a Raspberry Pi with 1 GB: the worst case of one
/// session is a few megabytes, the usual case a few kilobytes.
/// </summary>
public sealed class BrokerLimits
{
    /// <value>Open network connections; further ones are closed on accept.</value>
    public int ConnectionsMax { get; set; } = 10_000;

    /// <value>Connections that have not finished their CONNECT; beyond it the oldest of them is closed.</value>
    public int HandshakesMax { get; set; } = 512;

    /// <value>Sessions, connected or waiting for their client.</value>
    public int SessionsMax { get; set; } = 20_000;

    /// <value>One packet from a client, header included. Announced to version 5 clients.</value>
    public int PacketBytesMax { get; set; } = 1 << 20;

    /// <value>Before CONNECT is accepted, when the peer is nobody yet. The largest will payload of 64 KiB fits.</value>
    public int ConnectPacketBytesMax { get; set; } = 80 << 10;

    public int ClientIdCharsMax { get; set; } = 256;

    public int TopicCharsMax { get; set; } = 4096;

    public int TopicLevelsMax { get; set; } = 64;

    public int SubscriptionsPerClientMax { get; set; } = 1024;

    /// <value>All subscriptions together, by an estimate of what they take in memory. Over it new ones are refused.</value>
    public long SubscriptionBytesMax { get; set; } = 32 << 20;

    /// <value>Unacknowledged QoS 1 and 2 messages to one client; the client's receive maximum may lower it.</value>
    public int InFlightMax { get; set; } = 1024;

    /// <value>Unacknowledged QoS 1 and 2 messages from one client: the receive maximum announced to it.</value>
    public int ReceiveMax { get; set; } = 1024;

    /// <value>QoS 1 and 2 messages waiting in one session behind those in flight.</value>
    public int QueuedMessagesMax { get; set; } = 10_000;

    /// <value>Their size; as much again may be in flight.</value>
    public long QueuedBytesMax { get; set; } = 8 << 20;

    /// <value>Encoded bytes a connection may owe its client. Over it QoS 0 is dropped and QoS 1 and 2 wait in the session.</value>
    public int OutboundBytesMax { get; set; } = 1 << 20;

    /// <value>
    /// What all sessions and connections together make the broker hold: messages that wait or are in flight, wills, encoded bytes. From three
    /// quarters on, publishers whose messages have to wait are slowed and QoS 0 is dropped sooner; at the bound such messages are refused.
    /// By default a quarter of the memory this process may use: of the machine's, its control group's, or the heap's hard limit.
    /// Half of it again may be taken by packets that have come in part.
    /// </value>
    public long HeldBytesMax { get; set; } = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4;

    /// <value>Topic aliases a client may use on one connection; as many are used towards it.</value>
    public int TopicAliasMax { get; set; } = 32;

    public int RetainedMessagesMax { get; set; } = 20_000;

    public long RetainedBytesMax { get; set; } = 32 << 20;

    /// <value>From here on memory is short.</value>
    internal long HeldBytesTight => HeldBytesMax - (HeldBytesMax / 4);

    /// <value>Longest time a session outlives its connection, whatever the client asks for.</value>
    public TimeSpan SessionExpiryMax { get; set; } = TimeSpan.FromDays(30);

    /// <value>
    /// Longest keep-alive; a version 5 client that asks for more, or for none, is told this one [MQTT-3.1.2-21]. Zero: any, also none.
    /// </value>
    public TimeSpan KeepAliveMax { get; set; }

    /// <value>Time a peer has from accept to a complete CONNECT.</value>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <value>TLS handshakes under way at once at one endpoint; who comes then waits, at most <see cref="ConnectTimeout"/>.</value>
    public int TlsHandshakesMax { get; set; } = 128;

    /// <value>Time a peer has for its part of the handshake.</value>
    public TimeSpan TlsHandshakeTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <value>Time a closing connection has to take its last bytes.</value>
    public TimeSpan CloseTimeout { get; set; } = TimeSpan.FromSeconds(2);
}
