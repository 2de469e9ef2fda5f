using System.Net;
using EdgeFirmware.Mqtt.SensorNet;

namespace EdgeFirmware.Firmware.Configuration;

/// <summary>Where sensors that speak MQTT-SN are listened to, and who they are.</summary>
/// <param name="User">Whose rights and quotas they have; <c>null</c>: nobody's, where anybody may connect.</param>
internal sealed record SensorNetConfiguration(IReadOnlyList<IPEndPoint> Listen, string? User, IReadOnlyList<PredefinedTopic> PredefinedTopics, byte GatewayId);
