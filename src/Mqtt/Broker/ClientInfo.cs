namespace EdgeFirmware.Mqtt.Broker;

/// <summary>One accepted connection of one client.</summary>
/// <param name="RemoteAddress">Address and port, or "unix".</param>
/// <param name="Trusted">It came over an endpoint whose file permissions are the authentication.</param>
public sealed record ClientInfo(string ClientId, Principal Principal, string RemoteAddress, bool Trusted, ProtocolVersion Version);
