namespace EdgeFirmware.Mqtt.Broker;

/// <summary>
/// Sees what clients do, and may take over their messages and subscriptions. All methods are called without broker locks, on the
/// thread that serves the client, in the order the client acted; calls for different clients run in parallel. They may call any
/// method of the broker, and must return quickly: the client's next packet waits. Except for OnDisconnected the tap is told before
/// the client gets its answer, so what the answer promises is true.
/// </summary>
public interface IBrokerTap
{
    /// <summary>Every accepted PUBLISH from a client: authorised, and for QoS 2 once however often it was sent. Wills are not shown.</summary>
    /// <param name="hold">Lets the tap keep the acknowledgement back.</param>
    TapVerdict OnPublish(ClientInfo publisher, MqttMessage message, PublishHold hold);

    /// <summary>Every authorised filter of a SUBSCRIBE, also when it replaces an earlier subscription.</summary>
    SubscribeVerdict OnSubscribe(ClientInfo client, string filter, SubscriptionOptions options);

    void OnUnsubscribe(ClientInfo client, string filter);

    /// <param name="sessionPresent">The session, with its subscriptions, was resumed.</param>
    void OnConnected(ClientInfo client, bool sessionPresent);

    void OnDisconnected(ClientInfo client, ReasonCode reason);

    /// <summary>The session and all its subscriptions are gone: clean start, expiry, or no expiry interval asked for.</summary>
    void OnSessionEnded(ClientInfo client);
}
