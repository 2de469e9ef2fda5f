using System.Net;
using EdgeFirmware.Mesh.Membership;
using EdgeFirmware.Overlay.Links;

namespace EdgeFirmware.Firmware.Configuration;

/// <summary>What the operator said, checked and parsed. Immutable.</summary>
internal sealed record NodeConfiguration
{
    public required string Name { get; init; }

    /// <summary>Latitude and longitude in degrees, set when the node is put up; <c>null</c> when not given.</summary>
    public (double Latitude, double Longitude)? Location { get; init; }

    /// <summary>The operator's words for what is here, in order; each is valid in an offer.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    public required string DataDirectory { get; init; }

    public required IReadOnlyList<IPEndPoint> MqttListen { get; init; }

    /// <summary><c>null</c>: no TLS.</summary>
    public TlsConfiguration? MqttTls { get; init; }

    /// <summary><c>null</c>: no MQTT-SN.</summary>
    public SensorNetConfiguration? SensorNet { get; init; }

    public required bool AllowAnonymous { get; init; }

    /// <summary>Addresses whose failed logins are not counted against them.</summary>
    public IReadOnlyList<IPNetwork> LoginExempt { get; init; } = [];

    public IReadOnlyList<BridgeConfiguration> Bridges { get; init; } = [];

    /// <summary><c>null</c>: no plain HTTP. With neither this nor <see cref="ApiTlsListen"/> there is no API, and no memory for one.</summary>
    public IPEndPoint? ApiListen { get; init; }

    /// <summary><c>null</c>: no HTTPS. Only with <see cref="MeshConfiguration.Site"/>.</summary>
    public IPEndPoint? ApiTlsListen { get; init; }

    /// <summary><c>null</c>: the node is on its own.</summary>
    public MeshConfiguration? Mesh { get; init; }

    public LinksOptions Links { get; init; } = new();

    public required string EngineSocket { get; init; }

    public string ControlSocket => Path.Combine(DataDirectory, "control.sock");

    public string MqttSocket => Path.Combine(DataDirectory, "mqtt.sock");
}

/// <param name="SiteKey">The lab profile: 32 bytes that every node of the site has. <c>null</c> with certificates.</param>
/// <param name="Site">Directory of this node's certificate and keys; <c>null</c> in the lab profile.</param>
internal sealed record MeshConfiguration(IPEndPoint Listen, IReadOnlyList<IPEndPoint> Seeds, byte[]? SiteKey, string? Site = null)
{
    public MembershipProfile Profile { get; init; } = MembershipProfile.Lan;

    /// <summary>UDP port by which nodes reach each other over any link; <c>null</c>: not at all.</summary>
    public int? OverlayPort { get; init; }

    /// <summary>Whether it passes on what others say to each other.</summary>
    public bool Relays { get; init; } = true;

    /// <summary>Whether work is moved to even out the site.</summary>
    public bool Balances { get; init; } = true;
}
