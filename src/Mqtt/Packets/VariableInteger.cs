namespace EdgeFirmware.Mqtt.Packets;

/// <summary>The variable byte integer of MQTT 5 section 1.5.5: seven bits a byte, at most four bytes.</summary>
internal static class VariableInteger
{
    public const uint Max = 268_435_455;

    public static int Width(uint value) => value switch
    {
        < 1 << 7 => 1,
        < 1 << 14 => 2,
        < 1 << 21 => 3,
        _ => 4,
    };

    public static void Write(Span<byte> target, uint value)
    {
        for (var i = 0; i < target.Length - 1; i++)
        {
            target[i] = (byte)(value | 0x80);
            value >>= 7;
        }

        target[^1] = (byte)value;
    }

    /// <summary>Over-long forms are malformed: the encoding must use the fewest bytes [MQTT-1.5.5-1].</summary>
    public static FrameStatus TryRead(ReadOnlySpan<byte> source, out uint value, out int width)
    {
        value = 0;
        for (width = 0; width < source.Length && width < 4;)
        {
            var next = source[width];
            value |= (uint)(next & 0x7F) << (7 * width);
            width++;
            if ((next & 0x80) != 0) continue;
            return next == 0 && width > 1 ? FrameStatus.Malformed : FrameStatus.Complete;
        }

        return width == 4 ? FrameStatus.Malformed : FrameStatus.Incomplete;
    }
}
