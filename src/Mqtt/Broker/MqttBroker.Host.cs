namespace EdgeFirmware.Mqtt.Broker;

/// <summary>What the host does with messages as one, and keeps.</summary>
public sealed partial class MqttBroker
{
    /// <summary>
    /// Makes changes as one: after a power cut all of them are there or none. Inside, the host may publish, deliver, and use its queues. It runs under the
    /// broker's lock, so it must be short and must not wait for a lock that somebody holds who calls the broker.
    /// </summary>
    /// <param name="kept">Called without locks once the changes are on disk, or at once in a broker that keeps nothing.</param>
    public void Change(Action change, Action? kept = null)
    {
        using var turn = Core.Enter();
        change();
        if (kept is not null && Core.Journal?.Await(kept) != true) turn.Call(kept);
    }

    /// <summary>The host's queue of that name, with what it kept; a new one if there is none. Not before <see cref="Restored"/>.</summary>
    public HostQueue OpenQueue(string name)
    {
        using var turn = Core.Enter();
        if (Core.Queues.TryGetValue(name, out var queue)) return queue;
        queue = new HostQueue(Core, name);
        Core.Queues.Add(name, queue);
        return queue;
    }

    /// <summary>Forgets the host's queue of that name, if there is one, with everything in it.</summary>
    public void DeleteQueue(string name)
    {
        using var turn = Core.Enter();
        if (Core.Queues.Remove(name, out var queue)) queue.Delete();
    }

    /// <summary>The disk is full, or its share used up: publishers at QoS 1 and 2 should be refused what a queue would have to keep.</summary>
    public bool DiskIsFull
    {
        get
        {
            using var turn = Core.Enter();
            return Core.Journal is { IsFull: true };
        }
    }
}
