using System.Net.Sockets;
using EdgeFirmware.Firmware.Configuration;
using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.SensorNet;

namespace EdgeFirmware.Firmware.Broker;

/// <summary>Starts the MQTT-SN gateway that is configured.</summary>
internal static class NodeSensors
{
    /// <exception cref="ConfigurationException">An address is in use.</exception>
    public static void Start(MqttBroker broker, SensorNetConfiguration sensors, NodeAccess access)
    {
        var options = new SensorNetOptions
        {
            Admit = clientId => access.AdmitSensor(sensors.User, clientId), PredefinedTopics = sensors.PredefinedTopics, GatewayId = sensors.GatewayId,
        };
        try
        {
            broker.StartSensorNet(options, sensors.Listen);
        }
        catch (SocketException error)
        {
            throw new ConfigurationException([$"Mqtt.SensorNet.Listen: {error.Message}"]);
        }
    }
}
