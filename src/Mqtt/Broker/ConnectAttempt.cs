namespace EdgeFirmware.Mqtt.Broker;

/// <summary>What a CONNECT claims, for <see cref="IBrokerAccess"/> to judge.</summary>
/// <param name="ClientId">Empty when the broker will assign one.</param>
/// <param name="RemoteAddress">Address and port, or "unix".</param>
/// <param name="Trusted">It came over an endpoint whose file permissions are the authentication.</param>
public sealed record ConnectAttempt(
    string ClientId,
    string? UserName,
    ReadOnlyMemory<byte>? Password,
    string RemoteAddress,
    bool Trusted,
    ProtocolVersion Version)
{
    public TransportKind Transport { get; init; }

    /// <summary>The subject's common name in the client certificate that was verified in the TLS handshake; null when there was none.</summary>
    public string? CertificateName { get; init; }
}
