using EdgeFirmware.Mqtt.Broker;

namespace EdgeFirmware.Mqtt.Durability;

/// <summary>A <see cref="HostQueue"/> as the records left it.</summary>
internal sealed class ReplayedQueue(uint id, string name, Guid stream)
{
    public uint Id => id;

    public string Name => name;

    public Guid Stream => stream;

    public Dictionary<long, StoredDelivery> Deliveries { get; } = [];
}
