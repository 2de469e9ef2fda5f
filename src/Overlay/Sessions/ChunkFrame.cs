namespace EdgeFirmware.Overlay.Sessions;

internal readonly ref struct ChunkFrame(byte lane, ushort number, bool isFirst, bool isLast, ReadOnlySpan<byte> body)
{
    public byte Lane { get; } = lane;

    /// <summary>The low bits.</summary>
    public ushort Number { get; } = number;

    public bool IsFirst { get; } = isFirst;

    public bool IsLast { get; } = isLast;

    public ReadOnlySpan<byte> Body { get; } = body;
}
