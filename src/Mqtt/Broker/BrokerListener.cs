using System.Net;
using System.Net.Sockets;
using EdgeFirmware.Mqtt.Transport;
using EdgeFirmware.Mqtt.Transport.Tls;

namespace EdgeFirmware.Mqtt.Broker;

/// <summary>Accepts on one endpoint until it is disposed. Running out of descriptors pauses it; it does not end it.</summary>
internal sealed class BrokerListener : IDisposable
{
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromMilliseconds(100);

    private readonly MqttBroker _broker;
    private readonly Socket _socket;
    private readonly string? _path;
    private readonly SemaphoreSlim? _handshakes;

    public BrokerListener(MqttBroker broker, BrokerEndpoint endpoint)
    {
        _broker = broker;
        _socket = EndpointSocket.Listen(endpoint.Address, broker.Options.Bind);
        _path = endpoint.Address is UnixDomainSocketEndPoint unix ? unix.ToString() : null;
        if (endpoint.Tls is not null) _handshakes = new SemaphoreSlim(broker.Options.Limits.TlsHandshakesMax);
        Endpoint = endpoint.Address is IPEndPoint ? endpoint with { Address = _socket.LocalEndPoint! } : endpoint;
    }

    /// <summary>With the port that was given when 0 was asked for.</summary>
    public BrokerEndpoint Endpoint { get; }

    public async Task RunAsync()
    {
        while (!_broker.Stopping.IsCancellationRequested)
        {
            try
            {
                var accepted = await _socket.AcceptAsync(_broker.Stopping);
                EndpointSocket.Tune(accepted);
                var remote = accepted.RemoteEndPoint is IPEndPoint address ? address.ToString() : "unix";
                _broker.Serve(WireOf(accepted), remote, Endpoint.Trusted);
            }
            catch (Exception stopped) when (stopped is OperationCanceledException or ObjectDisposedException && _broker.Stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure) when (failure is SocketException or IOException)
            {
                MqttLog.AcceptFailed(_broker.Logger, Endpoint.ToString(), failure.Message);
                await Task.Delay(PauseAfterFailure, _broker.Options.TimeProvider, CancellationToken.None);
            }
        }
    }

    private Wire WireOf(Socket accepted)
    {
        if (Endpoint.Tls is not { } tls) return new PolledWire(accepted, _broker.Loop);
        return new TlsServerWire(accepted, tls, _handshakes!, _broker.Options.Limits.TlsHandshakeTimeout, _broker.Options.TimeProvider);
    }

    public void Dispose()
    {
        _socket.Dispose();
        if (_path is not null) File.Delete(_path);
    }
}
