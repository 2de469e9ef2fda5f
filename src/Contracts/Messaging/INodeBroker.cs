namespace EdgeFirmware.Contracts.Messaging;

/// <summary>The node's MQTT broker, as the workload layer uses it.</summary>
public interface INodeBroker
{
    /// <summary>Routes a message to the node's subscribers.</summary>
    void Publish(SensorMessage message);

    /// <summary>Makes changes as one: after a power cut all of them are there or none. Inside, messages may be published and stores changed; it must be
    /// short, and must not wait for a lock under which the broker is called.</summary>
    /// <param name="kept">Called, from any thread and without locks, once they are on disk.</param>
    void InOneStep(Action changes, Action? kept = null);

    /// <summary>The store of that name with what it has kept, or a new one.</summary>
    IMessageStore OpenStore(string name);

    /// <summary>Forgets the store of that name, if there is one, and what is in it.</summary>
    void DeleteStore(string name);

    /// <summary>There is no room on the disk: nothing more is to be acknowledged that has to be kept.</summary>
    bool IsFull { get; }

    /// <summary>Queues a message for one client, past the topic tree.</summary>
    /// <param name="qos">0, 1 or 2: what the client subscribed with.</param>
    /// <param name="settled">Called once, from any thread: whether the client acknowledged it. <c>false</c> = its session is gone.</param>
    void Deliver(string clientId, SensorMessage message, byte qos, Action<bool> settled);

    /// <summary>Ends a client's connection and its session.</summary>
    void Evict(string clientId, string why);
}
