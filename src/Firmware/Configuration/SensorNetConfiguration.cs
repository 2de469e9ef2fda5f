using System.Net;
using EdgeFirmware.Mqtt.SensorNet;

namespace EdgeFirmware.Firmware.Configuration;

/// <summary>Where sensors that speak MQTT-SN are listened to, and who they are.</summary>
/// <param name="user">Whose rights and quotas they have; <c>null</c>: nobody's, where anybody may connect.</param>
internal sealed class SensorNetConfiguration(IReadOnlyList<IPEndPoint> listen, string? user, IReadOnlyList<PredefinedTopic> predefinedTopics, byte gatewayId)
{
    public IReadOnlyList<IPEndPoint> Listen => listen;

    public string? User => user;

    public IReadOnlyList<PredefinedTopic> PredefinedTopics => predefinedTopics;

    public byte GatewayId => gatewayId;
}
