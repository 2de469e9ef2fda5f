namespace EdgeFirmware.Overlay.Sessions;

/// <param name="Next">The low bits of the first number that was not received.</param>
/// <param name="Unsettled">How many before it have not been dealt with.</param>
/// <param name="Early">Bit i: the number i + 1 behind <paramref name="Next"/> was received.</param>
internal readonly record struct AckFrame(byte Lane, ushort Next, uint Unsettled, ulong Early)
{
    public const int BitsMax = 64;

    /// <param name="ahead">Of <see cref="Next"/>.</param>
    public bool Has(int ahead) => ahead is >= 1 and <= BitsMax && (Early >> (ahead - 1) & 1) != 0;
}
