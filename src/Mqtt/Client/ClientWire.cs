using System.Net.Sockets;
using EdgeFirmware.Mqtt.Transport;
using EdgeFirmware.Mqtt.Transport.Tls;

namespace EdgeFirmware.Mqtt.Client;

/// <summary>Connects a client by what its options ask for: a socket, with TLS or not, with WebSocket in it or not.</summary>
internal static class ClientWire
{
    /// <exception cref="SocketException">Nobody listens there, or the way is blocked.</exception>
    /// <exception cref="IOException">TLS or WebSocket did not come about.</exception>
    public static async Task<Wire> OpenAsync(MqttClientOptions options, CancellationToken cancellation)
    {
        var socket = await EndpointSocket.ConnectAsync(options.Server, cancellation, options.LocalAddress);
        Wire wire = options.Tls is { } tls ? new TlsClientWire(socket, tls, options.Server) : new SocketWire(socket);
        try
        {
            await wire.OpenAsync(cancellation);
            if (options.WebSocketPath is not { } path) return wire;
            return new WebSocketWire(await WebSocketHandshake.RunAsync(new WireStream(wire), options.Server, path, cancellation));
        }
        catch
        {
            wire.Dispose();
            throw;
        }
    }
}
