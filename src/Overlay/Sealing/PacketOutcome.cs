namespace EdgeFirmware.Overlay.Sealing;

/// <summary>What became of a packet that was to be opened.</summary>
internal enum PacketOutcome
{
    Genuine,

    /// <summary>Too short or too long.</summary>
    Malformed,

    /// <summary>Not made with the session's key, changed on the way, or more than half of 2^24 packets late.</summary>
    Forged,

    /// <summary>Seen before, or too old to tell.</summary>
    Replayed,

    /// <summary>After <see cref="PacketSeal.ForgedMax"/> forgeries nothing is opened any more: the session must be made anew.</summary>
    WornOut,
}
