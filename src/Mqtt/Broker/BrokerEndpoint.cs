using System.Net;
using System.Net.Sockets;
using EdgeFirmware.Mqtt.Transport.Tls;

namespace EdgeFirmware.Mqtt.Broker;

/// <summary>Where the broker listens.</summary>
/// <param name="Address">An <see cref="IPEndPoint"/> (port 0: any free one) or a <see cref="UnixDomainSocketEndPoint"/>.</param>
/// <param name="Trusted">Reaching it is the authentication, as for a unix socket of mode 0600; passed on to <see cref="IBrokerAccess"/>.</param>
public sealed record BrokerEndpoint(EndPoint Address, bool Trusted)
{
    /// <summary>TLS for those who connect here; null: none.</summary>
    public TlsServer? Tls { get; init; }

    public static BrokerEndpoint Tcp(IPAddress address, int port) => new(new IPEndPoint(address, port), Trusted: false);

    public static BrokerEndpoint Unix(string path) => new(new UnixDomainSocketEndPoint(path), Trusted: true);

    public override string ToString() => Address.ToString() ?? string.Empty;
}
