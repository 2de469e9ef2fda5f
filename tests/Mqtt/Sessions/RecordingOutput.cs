using EdgeFirmware.Mqtt.Packets;
using EdgeFirmware.Mqtt.Sessions;

namespace EdgeFirmware.Mqtt.Tests.Sessions;

/// <summary>Keeps what a session writes, and pretends that a number of bytes is unsent.</summary>
internal sealed class RecordingOutput : IPacketOutput
{
    public List<string> Written { get; } = [];

    public int UnsentBytes { get; set; }

    public bool WasAskedToNotify { get; private set; }

    public void Write(Packet packet) => TryWrite(packet);

    public bool TryWrite(Packet packet)
    {
        Written.Add(packet.Type.ToString());
        return true;
    }

    public void WriteAck(PacketType type, ushort packetId, ReasonCode reason) =>
        Written.Add(reason == ReasonCode.Success ? $"{type} {packetId}" : $"{type} {packetId} {reason}");

    public bool TryWritePublish(in OutgoingPublish publish, uint packetBytesMax)
    {
        if (publish.Message.Payload.Length > packetBytesMax) return false;
        var text = publish.Message.Text();
        if (publish.PacketId != 0) text += $" {publish.PacketId}";
        if (publish.Duplicate) text += " dup";
        if (publish.ExpirySeconds is { } seconds) text += $" {seconds}s";
        if (publish.TopicAlias != 0) text += $" alias {publish.TopicAlias}{(publish.OmitTopic ? string.Empty : " new")}";
        Written.Add(text);
        return true;
    }

    public bool NotifyWhenSent() => WasAskedToNotify = true;

    public void AwaitCommit()
    {
    }

    public void Flush()
    {
    }

    public void Abort(ReasonCode reason, PacketProperties? explanation = null) => Written.Add($"abort {reason}");

    public List<string> Take()
    {
        List<string> taken = [.. Written];
        Written.Clear();
        return taken;
    }
}
