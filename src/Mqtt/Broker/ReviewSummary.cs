namespace EdgeFirmware.Mqtt.Broker;

/// <summary>What <see cref="MqttBroker.Review"/> took from clients that lost rights.</summary>
public sealed record ReviewSummary
{
    /// <summary>Clients whose connection was ended.</summary>
    public int Disconnected { get; internal set; }

    /// <summary>Sessions of clients that were away and that nobody can take up any more.</summary>
    public int SessionsEnded { get; internal set; }

    public int SubscriptionsRemoved { get; internal set; }

    public int WillsRemoved { get; internal set; }
}
