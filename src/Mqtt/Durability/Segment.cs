using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace EdgeFirmware.Mqtt.Durability;

/// <summary>
/// A file of frames being written. It begins with a magic and its number; a frame is its length, the CRC32C of length and body
/// (little endian, four bytes each) and the body. The space is reserved first, so that a full disk shows before a message is accepted.
/// </summary>
internal sealed class Segment : IDisposable
{
    public const int AllocatedBytes = 2 << 20;
    public const int HeaderBytes = 16;
    public const int FrameHeaderBytes = 8;
    public const string LogPrefix = "log-";
    public const string SnapshotPrefix = "snap-";

    private readonly SafeFileHandle _file;

    private Segment(SafeFileHandle file, string path, long number)
    {
        _file = file;
        Path = path;
        Number = number;
    }

    /// <summary>"EDGEMQ" and the version of the format.</summary>
    public static ReadOnlySpan<byte> Magic => "EDGEMQ01"u8;

    public string Path { get; }

    public long Number { get; }

    /// <summary>Header and whole frames.</summary>
    public long Length { get; private set; }

    /// <summary>What it takes on disk.</summary>
    public long DiskBytes => Math.Max(Length, AllocatedBytes);

    public static string NameOf(string prefix, long number) => $"{prefix}{number:x16}";

    /// <summary>A new, empty, durable file; its name is made durable by the caller.</summary>
    /// <exception cref="IOException">There is no room, or the disk failed. No file is left.</exception>
    public static Segment Create(string path, long number, bool allocate)
    {
        var file = Open(path);
        try
        {
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            if (allocate) NativeFile.Allocate(file, AllocatedBytes);
            Span<byte> header = stackalloc byte[HeaderBytes];
            Magic.CopyTo(header);
            BinaryPrimitives.WriteInt64LittleEndian(header[Magic.Length..], number);
            RandomAccess.Write(file, header, 0);
            NativeFile.SyncData(file);
            return new Segment(file, path, number) { Length = HeaderBytes };
        }
        catch (IOException)
        {
            file.Dispose();
            File.Delete(path);
            throw;
        }
    }

    public bool HasRoomFor(int frameBytes) => Length + frameBytes <= AllocatedBytes;

    /// <summary>Fills in the first <see cref="FrameHeaderBytes"/> of the frame and appends it.</summary>
    /// <exception cref="IOException">It is not there, or only a part of it, which <see cref="CutBack"/> takes away.</exception>
    public void Write(Span<byte> frame)
    {
        BinaryPrimitives.WriteInt32LittleEndian(frame, frame.Length - FrameHeaderBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[4..], Checksum(frame));
        RandomAccess.Write(_file, frame, Length);
        Length += frame.Length;
    }

    /// <exception cref="IOException">What was written since the last success is in doubt: go on in another file.</exception>
    public void Sync() => NativeFile.SyncData(_file);

    /// <summary>Forgets everything behind <paramref name="length"/>.</summary>
    /// <exception cref="IOException">The disk failed.</exception>
    public void CutBack(long length)
    {
        Length = length;
        RandomAccess.SetLength(_file, length);
    }

    /// <summary>Of a whole frame: its length field and its body.</summary>
    public static uint Checksum(ReadOnlySpan<byte> frame)
    {
        var crc = BitOperations.Crc32C(uint.MaxValue, BinaryPrimitives.ReadUInt32LittleEndian(frame));
        var body = frame[FrameHeaderBytes..];
        var words = MemoryMarshal.Cast<byte, ulong>(body);
        foreach (var word in words) crc = BitOperations.Crc32C(crc, word);
        foreach (var rest in body[(words.Length * sizeof(ulong))..]) crc = BitOperations.Crc32C(crc, rest);
        return ~crc;
    }

    /// <exception cref="IOException">Also where permission is missing: to the writer that is one more disk that refuses.</exception>
    private static SafeFileHandle Open(string path)
    {
        try
        {
            return File.OpenHandle(path, FileMode.Create, FileAccess.Write, FileShare.Read);
        }
        catch (UnauthorizedAccessException refusal)
        {
            throw new IOException(refusal.Message, refusal);
        }
    }

    public void Dispose() => _file.Dispose();
}
