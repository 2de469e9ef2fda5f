using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Support;

/// <summary>Packets to bytes and back, and hexadecimal for tables.</summary>
internal static class Bytes
{
    public static byte[] Of(Packet packet, ProtocolVersion version)
    {
        var output = new OutputBuffer();
        PacketEncoder.Write(output, packet, version);
        return output.Written.ToArray();
    }

    public static byte[] Of(string hex) => Convert.FromHexString(hex.Replace(" ", string.Empty, StringComparison.Ordinal));

    public static (ReasonCode Reason, Packet? Packet) Decode(ReadOnlySpan<byte> bytes, ProtocolVersion version, int packetBytesMax = 1 << 20)
    {
        switch (Frame.TryRead(bytes, packetBytesMax, out var frame))
        {
            case FrameStatus.Complete:
                var reason = PacketDecoder.Decode(frame.First, bytes.Slice(frame.BodyStart, frame.BodyBytes), version, out var packet);
                return (reason, packet);
            case FrameStatus.TooLarge: return (ReasonCode.PacketTooLarge, null);
            case FrameStatus.Malformed: return (ReasonCode.MalformedPacket, null);
            default: return (ReasonCode.ContinueAuthentication, null);
        }
    }

    public static T Decode<T>(ReadOnlySpan<byte> bytes, ProtocolVersion version)
        where T : Packet
    {
        var (reason, packet) = Decode(bytes, version);
        Assert.Equal(ReasonCode.Success, reason);
        return Assert.IsType<T>(packet);
    }
}
