using System.Buffers;
using System.Buffers.Binary;

namespace EdgeFirmware.Mqtt.Durability;

/// <summary>What reading one file found.</summary>
/// <param name="WholeBytes">Header and frames up to where reading stopped.</param>
/// <param name="CutBytes">What lay behind that and was not zero: the torn tail of a batch nobody was promised, or damage.</param>
/// <param name="Damaged">Frames skipped because their content was wrong while the ones behind them are whole.</param>
internal readonly record struct SegmentReading(long WholeBytes, long CutBytes, int Damaged);

/// <summary>Reads a file frame by frame, without mapping it and with one frame in memory at a time.</summary>
internal static class SegmentReader
{
    /// <exception cref="IOException">The disk failed.</exception>
    public static SegmentReading Read(string path, long number, Replay replay)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 64 << 10);
        Span<byte> header = stackalloc byte[Segment.HeaderBytes];
        var length = file.Length;
        if (file.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) < header.Length
            || !header.StartsWith(Segment.Magic) || BinaryPrimitives.ReadInt64LittleEndian(header[Segment.Magic.Length..]) != number)
            return new SegmentReading(0, length, 0);

        var position = (long)header.Length;
        var whole = position;
        var suspects = 0;
        var damaged = 0;
        while (ReadFrame(file, length - position, out var frame))
        {
            using var rented = frame;
            var span = rented.Memory.Span;
            var bytes = Segment.FrameHeaderBytes + BinaryPrimitives.ReadInt32LittleEndian(span);
            position += bytes;
            span = span[..bytes];
            if (Segment.Checksum(span) != BinaryPrimitives.ReadUInt32LittleEndian(span[4..]) || !replay.Apply(span[Segment.FrameHeaderBytes..]))
            {
                // Only a whole frame behind it shows that this is damage and not where the broker was cut off.
                suspects++;
                continue;
            }

            damaged += suspects;
            suspects = 0;
            whole = position;
        }

        return new SegmentReading(whole, CountTail(file, whole), damaged);
    }

    private static bool ReadFrame(FileStream file, long left, out IMemoryOwner<byte> frame)
    {
        frame = null!;
        Span<byte> header = stackalloc byte[Segment.FrameHeaderBytes];
        if (file.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) < header.Length) return false;
        var body = BinaryPrimitives.ReadInt32LittleEndian(header);
        if (body <= 0 || body > left - header.Length) return false;
        frame = MemoryPool<byte>.Shared.Rent(header.Length + body);
        header.CopyTo(frame.Memory.Span);
        if (file.ReadAtLeast(frame.Memory.Span.Slice(header.Length, body), body, throwOnEndOfStream: false) == body) return true;
        frame.Dispose();
        return false;
    }

    private static long CountTail(FileStream file, long from)
    {
        var last = from;
        var position = from;
        file.Position = from;
        var buffer = new byte[16 << 10];
        for (int read; (read = file.Read(buffer)) > 0; position += read)
        {
            var end = buffer.AsSpan(0, read).LastIndexOfAnyExcept((byte)0);
            if (end >= 0) last = position + end + 1;
        }

        return last - from;
    }
}
