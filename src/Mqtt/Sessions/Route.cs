namespace EdgeFirmware.Mqtt.Sessions;

/// <summary>What a filter leads to: a client's subscription, a group that shares one, or a callback in this process.</summary>
internal abstract class Route;

/// <summary>A callback in this process.</summary>
internal sealed class LocalRoute(Action<MqttMessage> callback) : Route
{
    public Action<MqttMessage> Callback => callback;
}
