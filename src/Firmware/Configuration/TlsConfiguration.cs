using System.Net;
using EdgeFirmware.Mqtt.Transport.Tls;

namespace EdgeFirmware.Firmware.Configuration;

/// <summary>Where the broker listens for MQTT over TLS, and how.</summary>
internal sealed record TlsConfiguration(IReadOnlyList<IPEndPoint> Listen, TlsServerOptions Options);
