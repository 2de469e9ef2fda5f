using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace EdgeFirmware.Platform.Engine;

/// <summary>One piece of what a container wrote. <see cref="Data"/> is valid until the next piece is read.</summary>
internal readonly record struct StdcopyPiece(bool IsError, ReadOnlyMemory<byte> Data);

/// <summary>Takes the engine's multiplexed output apart: frames of 1 byte stream number (1 stdout, 2 stderr), 3 zero bytes, 4 bytes length
/// (big-endian), payload; Docker Engine API, "Attach to a container". A frame of any length goes through a buffer of fixed size.</summary>
internal static class Stdcopy
{
    private const int HeaderBytes = 8;
    private const int PieceBytesMax = 16 << 10;

    public static async IAsyncEnumerable<StdcopyPiece> ReadAsync(
        Stream source, string socket, [EnumeratorCancellation] CancellationToken cancel)
    {
        var header = new byte[HeaderBytes];
        var piece = new byte[PieceBytesMax];
        while (true)
        {
            var got = await source.ReadAtLeastAsync(header, HeaderBytes, throwOnEndOfStream: false, cancel);
            if (got == 0)
                yield break;
            if (got < HeaderBytes)
                throw EngineFailures.FromSocket(socket, new EndOfStreamException("the output ends inside a frame"));
            if (header[0] > 2 || header[1] != 0 || header[2] != 0 || header[3] != 0)
                throw EngineFailures.Nonsense(socket, "output that is not in frames (a container with a terminal?)");
            var left = BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(4));
            while (left > 0)
            {
                var read = await source.ReadAsync(piece.AsMemory(0, (int)Math.Min(left, PieceBytesMax)), cancel);
                if (read == 0)
                    throw EngineFailures.FromSocket(socket, new EndOfStreamException("the output ends inside a frame"));
                left -= (uint)read;
                yield return new StdcopyPiece(header[0] == 2, piece.AsMemory(0, read));
            }
        }
    }
}
