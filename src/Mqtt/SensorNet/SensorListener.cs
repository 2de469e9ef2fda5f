using System.Net;
using System.Net.Sockets;
using EdgeFirmware.Mqtt.Broker;

namespace EdgeFirmware.Mqtt.SensorNet;

/// <summary>One UDP socket, and which sensors are where behind it. Answers go the way the question came, over the same interface.</summary>
internal sealed class SensorListener : IDisposable
{
    private const int ReceiveBufferBytes = 256 << 10;

    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromMilliseconds(100);

    private readonly MqttBroker _broker;
    private readonly SensorGateway _gateway;
    private readonly Socket _socket;
    private readonly byte[] _buffer;

    /// <exception cref="SocketException">The address is in use, or not ours and <see cref="BrokerOptions.Bind"/> minds.</exception>
    public SensorListener(MqttBroker broker, SensorGateway gateway, IPEndPoint address, int packetBytesMax)
    {
        _broker = broker;
        _gateway = gateway;
        // One byte more tells a datagram that is too large.
        _buffer = new byte[packetBytesMax + 1];
        _socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            broker.Options.Bind(_socket, address);
            _socket.ReceiveBufferSize = ReceiveBufferBytes;
            _socket.Blocking = false;
        }
        catch
        {
            _socket.Dispose();
            throw;
        }

        LocalAddress = (IPEndPoint)_socket.LocalEndPoint!;
    }

    /// <summary>With the port that was given when 0 was asked for.</summary>
    public IPEndPoint LocalAddress { get; }

    /// <summary>By address and port, of a link-local address also by interface. Under the broker's lock.</summary>
    public Dictionary<IPEndPoint, SensorConnection> Connections { get; } = [];

    public async Task RunAsync()
    {
        var from = new SocketAddress(LocalAddress.AddressFamily);
        while (!_broker.Stopping.IsCancellationRequested)
        {
            try
            {
                var received = await _socket.ReceiveFromAsync(_buffer, SocketFlags.None, from, _broker.Stopping);
                _gateway.Receive(this, (IPEndPoint)LocalAddress.Create(from), _buffer.AsSpan(0, received));
            }
            catch (Exception stopped) when (stopped is OperationCanceledException or ObjectDisposedException && _broker.Stopping.IsCancellationRequested)
            {
                return;
            }
            catch (SocketException tooLarge) when (tooLarge.SocketErrorCode == SocketError.MessageSize)
            {
                _broker.Core.Counters.CountBadDatagram();
            }
            catch (SocketException failure)
            {
                MqttLog.AcceptFailed(_broker.Logger, LocalAddress.ToString(), failure.Message);
                await Task.Delay(PauseAfterFailure, _broker.Options.TimeProvider, CancellationToken.None);
            }
        }
    }

    /// <summary>A datagram that cannot be sent now is one that was lost on the way: what matters is repeated.</summary>
    public void Send(byte[] datagram, IPEndPoint to)
    {
        try
        {
            _broker.Core.Counters.AddBytesOut(_socket.SendTo(datagram, to));
        }
        catch (Exception lost) when (lost is SocketException or ObjectDisposedException)
        {
            MqttLog.ConnectionBroke(_broker.Logger, to.ToString(), lost.Message);
        }
    }

    public void Dispose() => _socket.Dispose();
}
