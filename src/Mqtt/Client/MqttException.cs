namespace EdgeFirmware.Mqtt.Client;

/// <summary>The connection to the broker could not be made or was lost. Refusals are not exceptions; they come as reason codes.</summary>
public sealed class MqttException : Exception
{
    public MqttException(string message, Exception? cause = null)
        : base(message, cause)
    {
    }
}
