using EdgeFirmware.Mqtt.Sessions;

namespace EdgeFirmware.Mqtt.Broker;

/// <summary>One session at one moment.</summary>
public sealed record ClientSnapshot
{
    public required string ClientId { get; init; }

    /// <summary>The principal's name.</summary>
    public required string User { get; init; }

    /// <summary>Where its last connection came from.</summary>
    public required string RemoteAddress { get; init; }

    /// <summary>Null while the client is away.</summary>
    public required TransportKind? Transport { get; init; }

    public required ProtocolVersion Version { get; init; }

    public required bool Connected { get; init; }

    /// <summary>After one and a half of it in silence the connection ends; zero: never. Null while the client is away.</summary>
    public required TimeSpan? KeepAlive { get; init; }

    /// <summary>How long the session outlives its connection.</summary>
    public required TimeSpan SessionExpiry { get; init; }

    /// <summary>How long the present connection has lasted; null while the client is away.</summary>
    public required TimeSpan? ConnectedFor { get; init; }

    public required int Subscriptions { get; init; }

    public required int QueuedMessages { get; init; }

    public required long QueuedBytes { get; init; }

    public required int InFlight { get; init; }

    /// <summary>Encoded for the client and not yet taken by the kernel.</summary>
    public required int UnsentBytes { get; init; }

    /// <summary>Inside a turn.</summary>
    internal static ClientSnapshot Of(Session session, TimeSpan now)
    {
        var output = session.Link?.Output;
        var connection = output as IClientConnection;
        return new ClientSnapshot
        {
            ClientId = session.ClientId,
            User = session.Client.Principal.Name,
            RemoteAddress = session.Client.RemoteAddress,
            Transport = connection?.Transport,
            Version = session.Client.Version,
            Connected = output is not null,
            KeepAlive = connection?.KeepAlive,
            SessionExpiry = session.Expiry,
            ConnectedFor = now - connection?.ConnectedAt,
            Subscriptions = session.Subscriptions.Count,
            QueuedMessages = session.Outbound.QueuedMessages,
            QueuedBytes = session.Outbound.QueuedBytes,
            InFlight = session.Outbound.InFlight,
            UnsentBytes = connection?.PendingBytes ?? output?.UnsentBytes ?? 0,
        };
    }
}
