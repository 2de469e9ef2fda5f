namespace EdgeFirmware.Mqtt.Packets;

internal enum FrameStatus
{
    /// <summary>More bytes are needed.</summary>
    Incomplete,
    Complete,
    Malformed,

    /// <summary>The header announces more than the receiver's maximum packet size.</summary>
    TooLarge,
}

/// <summary>Where one packet lies in a receive buffer (MQTT 5 section 2.1).</summary>
/// <param name="First">Packet type and flags.</param>
/// <param name="BodyStart">Bytes of the fixed header.</param>
/// <param name="BodyBytes">Remaining length.</param>
internal readonly record struct Frame(byte First, int BodyStart, int BodyBytes)
{
    public int TotalBytes => BodyStart + BodyBytes;

    /// <summary>
    /// Finds the packet at the start of <paramref name="received"/>. With <see cref="FrameStatus.Incomplete"/> the frame's total is
    /// how much the buffer must hold, as far as that is known yet.
    /// </summary>
    public static FrameStatus TryRead(ReadOnlySpan<byte> received, int packetBytesMax, out Frame frame)
    {
        frame = new Frame(received.IsEmpty ? (byte)0 : received[0], 2, 0);
        if (received.Length < 2) return FrameStatus.Incomplete;
        var status = VariableInteger.TryRead(received[1..], out var body, out var width);
        if (status != FrameStatus.Complete) return status;
        frame = new Frame(received[0], 1 + width, (int)body);
        if (frame.TotalBytes > packetBytesMax) return FrameStatus.TooLarge;
        return received.Length >= frame.TotalBytes ? FrameStatus.Complete : FrameStatus.Incomplete;
    }
}
