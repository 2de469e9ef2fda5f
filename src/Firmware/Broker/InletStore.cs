using EdgeFirmware.Contracts.Messaging;
using EdgeFirmware.Mqtt.Broker;

namespace EdgeFirmware.Firmware.Broker;

/// <summary>A queue of the broker's, as custody uses it.</summary>
internal sealed class InletStore(HostQueue queue) : IMessageStore
{
    public Guid Stream => queue.Stream;

    public long Last => queue.Last;

    public IReadOnlyList<KeyValuePair<long, SensorMessage>> Kept =>
        queue.Kept.ConvertAll(static kept => KeyValuePair.Create(kept.Number, MessageMapping.ToSensorMessage(kept.Message)));

    public long Put(SensorMessage message, Action kept) => queue.Put(MessageMapping.ToMqttMessage(message), kept);

    public void Remove(long number) => queue.Remove(number);
}
