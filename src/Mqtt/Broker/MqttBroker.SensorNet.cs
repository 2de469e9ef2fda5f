using System.Net;
using System.Net.Sockets;
using EdgeFirmware.Mqtt.SensorNet;

namespace EdgeFirmware.Mqtt.Broker;

/// <content>Sensors that speak MQTT-SN over UDP.</content>
public sealed partial class MqttBroker
{
    private SensorGateway? _sensorGateway;
    private SensorListener[] _sensorListeners = [];
    private Task _sensorsServed = Task.CompletedTask;

    /// <summary>Where sensors are listened to, with the ports that were given for port 0.</summary>
    public IReadOnlyList<IPEndPoint> SensorEndpoints => [.. _sensorListeners.Select(listener => listener.LocalAddress)];

    /// <summary>Serves sensors that speak MQTT-SN 1.2 until the broker stops, as clients with sessions of their own. Call it once.</summary>
    /// <exception cref="ArgumentException">Options are wrong.</exception>
    /// <exception cref="InvalidOperationException">Called twice.</exception>
    /// <exception cref="SocketException">An address is in use, or not ours and <see cref="BrokerOptions.Bind"/> minds.</exception>
    public void StartSensorNet(SensorNetOptions options, params IReadOnlyList<IPEndPoint> addresses)
    {
        if (_sensorGateway is not null) throw new InvalidOperationException("Sensors are listened to once.");
        if (options.Faults.FirstOrDefault() is { } fault) throw new ArgumentException($"MQTT-SN: {fault}.", nameof(options));
        var gateway = new SensorGateway(this, options);
        var listeners = new List<SensorListener>();
        try
        {
            foreach (var address in addresses) listeners.Add(new SensorListener(this, gateway, address, options.PacketBytesMax));
        }
        catch
        {
            foreach (var listener in listeners) listener.Dispose();
            throw;
        }

        _sensorListeners = [.. listeners];
        _sensorGateway = gateway;
        _sensorsServed = Task.WhenAll(listeners.Select(ServeAsync));
    }

    private async Task ServeAsync(SensorListener listener)
    {
        try
        {
            // A session that was kept must not be taken for a new one.
            await Restored;
            MqttLog.Listening(Logger, $"{listener.LocalAddress} for MQTT-SN");
            await listener.RunAsync();
        }
        catch (Exception bug)
        {
            Fail(bug);
            throw;
        }
    }
}
