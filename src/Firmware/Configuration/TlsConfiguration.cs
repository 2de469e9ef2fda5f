using System.Net;
using EdgeFirmware.Mqtt.Transport.Tls;

namespace EdgeFirmware.Firmware.Configuration;

/// <summary>Where the broker listens for MQTT over TLS, and how.</summary>
/// <param name="IsSite">The certificate is the node's own in its site, and the options name no files.</param>
internal sealed record TlsConfiguration(IReadOnlyList<IPEndPoint> Listen, TlsServerOptions Options, bool IsSite = false);
