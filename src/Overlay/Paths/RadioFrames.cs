namespace EdgeFirmware.Overlay.Paths;

/// <summary>What a UDP datagram costs on IEEE 802.15.4 with 6LoWPAN (RFC 4944, RFC 6282), link-local addresses and ports 0xF0B0-0xF0BF.</summary>
internal static class RadioFrames
{
    /// <summary>aMaxPhyPacketSize.</summary>
    private const int FrameBytesMax = 127;

    /// <summary>Frame control, sequence, PAN, two 64-bit addresses, FCS.</summary>
    private const int MacBytes = 23;

    /// <summary>Preamble, delimiter, length.</summary>
    private const int PhyBytes = 6;

    /// <summary>IPHC with elided addresses, and the UDP header with both ports in a byte and its checksum.</summary>
    private const int HeaderBytes = 7;

    /// <summary>The larger of the two fragment headers; what is behind it comes in eights.</summary>
    private const int FragmentHeaderBytes = 5, FragmentBytes = (FrameBytesMax - MacBytes - FragmentHeaderBytes) / 8 * 8;

    /// <summary>UDP payload that goes in one frame.</summary>
    public const int PayloadOfOneFrame = FrameBytesMax - MacBytes - HeaderBytes;

    /// <summary>One datagram of the largest size: more would only wait in the driver.</summary>
    public const int BurstBytes = 1700;

    public static int AirBytes(int datagramBytes)
    {
        var bytes = datagramBytes + HeaderBytes;
        if (datagramBytes <= PayloadOfOneFrame)
            return bytes + MacBytes + PhyBytes;
        // Fragments count what they would be without compression, so there is one frame more than the bytes alone would need, at times.
        var frames = (bytes + FragmentBytes - 1) / FragmentBytes;
        return bytes + frames * (MacBytes + PhyBytes + FragmentHeaderBytes);
    }
}
