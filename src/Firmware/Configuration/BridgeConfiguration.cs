using EdgeFirmware.Mqtt;
using EdgeFirmware.Mqtt.Bridge;
using EdgeFirmware.Mqtt.Transport.Tls;

namespace EdgeFirmware.Firmware.Configuration;

/// <summary>One entry of <c>Mqtt.Bridges</c>: another broker and what goes there and comes from there.</summary>
internal sealed record BridgeConfiguration
{
    public required string Name { get; init; }

    /// <summary>Name or ID of a node of the site, instead of an address; <c>null</c>: it is an address.</summary>
    public string? Node { get; init; }

    /// <summary>Host name or address; a name is looked up at each attempt.</summary>
    public required string Host { get; init; }

    public required int Port { get; init; }

    /// <summary><c>null</c>: none.</summary>
    public TlsClientOptions? Tls { get; init; }

    public required ProtocolVersion Version { get; init; }

    public required string ClientId { get; init; }

    public string? User { get; init; }

    /// <summary>Its first line is the password; read at the start.</summary>
    public string? PasswordFile { get; init; }

    public required IReadOnlyList<BridgeTopic> Topics { get; init; }

    public required int QueuedMessagesMax { get; init; }

    public required long QueuedBytesMax { get; init; }

    /// <summary>Zero: none.</summary>
    public required TimeSpan MessageAgeMax { get; init; }

    public required bool KeepsQoS0 { get; init; }
}
