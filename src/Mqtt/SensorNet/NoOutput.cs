using EdgeFirmware.Mqtt.Packets;
using EdgeFirmware.Mqtt.Sessions;

namespace EdgeFirmware.Mqtt.SensorNet;

/// <summary>Of somebody who publishes without a connection: nothing reaches it.</summary>
internal sealed class NoOutput : IPacketOutput
{
    public static readonly NoOutput Instance = new();

    public int UnsentBytes => 0;

    public void Write(Packet packet)
    {
    }

    public bool TryWrite(Packet packet) => true;

    public void WriteAck(PacketType type, ushort packetId, ReasonCode reason)
    {
    }

    public bool TryWritePublish(in OutgoingPublish publish, uint packetBytesMax) => false;

    public void AwaitCommit()
    {
    }

    public bool NotifyWhenSent() => false;

    public void Flush()
    {
    }

    public void Abort(ReasonCode reason, PacketProperties? explanation = null)
    {
    }
}
