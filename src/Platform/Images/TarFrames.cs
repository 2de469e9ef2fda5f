using System.Buffers;
using EdgeFirmware.Contracts.Engine;

namespace EdgeFirmware.Platform.Images;

/// <summary>Walks a tar stream entry by entry without changing a byte: an entry's header blocks are kept raw, so that a copy is exactly what the
/// engine wrote. Knows ustar, PAX and GNU long names (POSIX.1-2001 pax, GNU tar manual "Basic Tar Format"). A tar that is cut off or has a bad
/// checksum is an <see cref="EngineException"/>.</summary>
internal sealed class TarFrames(Stream source)
{
    private const int BlockBytes = 512;
    private const int CopyBytes = 64 << 10;

    /// <summary>Long names of an image tar are some hundred bytes.</summary>
    private const int ExtensionBytesMax = 64 << 10;

    /// <summary>More than any disk of a node; keeps sums within their type.</summary>
    private const long DataBytesMax = 1L << 44;

    private byte[] _header = new byte[3 * BlockBytes];
    private int _headerBytes;
    private long _unread;
    private long _padding;

    public string Path { get; private set; } = "";

    public string LinkPath { get; private set; } = "";

    /// <summary>Type flag: <c>0</c> file, <c>1</c> hard link, <c>2</c> symbolic link, <c>5</c> directory.</summary>
    public char Kind { get; private set; }

    /// <summary>Goes to the next entry, past what is left of this one's data.</summary>
    /// <returns><c>false</c> at the end-of-archive mark.</returns>
    public async ValueTask<bool> NextAsync(CancellationToken cancel)
    {
        await CopyDataAsync(null, cancel);
        _headerBytes = 0;
        string? longPath = null;
        string? longLink = null;
        long? longSize = null;
        while (true)
        {
            var block = await ReadIntoHeaderAsync(BlockBytes, cancel);
            if (block.Span.IndexOfAnyExcept((byte)0) < 0)
                return false;
            var size = TarHeader.Size(block.Span);
            if (!TarHeader.ChecksumHolds(block.Span) || size < 0)
                throw Damaged("a header's checksum or size is wrong");
            Kind = TarHeader.Kind(block.Span);
            if (Kind is not ('x' or 'g' or 'L' or 'K'))
            {
                Path = longPath ?? TarHeader.Path(block.Span);
                LinkPath = longLink ?? TarHeader.LinkPath(block.Span);
                _unread = longSize ?? size;
                if (_unread > DataBytesMax)
                    throw Damaged($"{Path} claims {_unread} bytes");
                _padding = Padded(_unread) - _unread;
                return true;
            }
            if (size > ExtensionBytesMax || _headerBytes > ExtensionBytesMax)
                throw Damaged("an extension header is too large");
            var kind = Kind;
            var extension = (await ReadIntoHeaderAsync((int)Padded(size), cancel))[..(int)size];
            if (kind == 'x')
                TarHeader.ReadPax(extension.Span, ref longPath, ref longLink, ref longSize);
            else if (kind == 'L')
                longPath = TarHeader.Text(extension.Span);
            else if (kind == 'K')
                longLink = TarHeader.Text(extension.Span);
        }
    }

    /// <summary>The entry as it came: header blocks, data, padding.</summary>
    public async Task CopyEntryAsync(Stream destination, CancellationToken cancel)
    {
        await destination.WriteAsync(_header.AsMemory(0, _headerBytes), cancel);
        await CopyDataAsync(destination, cancel);
    }

    public async Task<byte[]> ReadDataAsync(int bytesMax, CancellationToken cancel)
    {
        if (_unread > bytesMax)
            throw Damaged($"{Path} is larger than {bytesMax} bytes");
        var data = new byte[_unread];
        await ReadExactlyAsync(data, cancel);
        _unread = 0;
        return data;
    }

    /// <summary>Two blocks of zeros (POSIX).</summary>
    public static ValueTask WriteEndAsync(Stream destination, CancellationToken cancel) =>
        destination.WriteAsync(new byte[2 * BlockBytes], cancel);

    private async Task CopyDataAsync(Stream? destination, CancellationToken cancel)
    {
        var left = _unread + _padding;
        if (left == 0)
            return;
        var chunk = ArrayPool<byte>.Shared.Rent(CopyBytes);
        try
        {
            while (left > 0)
            {
                var read = await source.ReadAsync(chunk.AsMemory(0, (int)Math.Min(left, chunk.Length)), cancel);
                if (read == 0)
                    throw CutOff();
                left -= read;
                if (destination is not null)
                    await destination.WriteAsync(chunk.AsMemory(0, read), cancel);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(chunk);
        }
        _unread = _padding = 0;
    }

    /// <summary>Appends the next bytes of the source to the raw header and returns them.</summary>
    private async ValueTask<ReadOnlyMemory<byte>> ReadIntoHeaderAsync(int bytes, CancellationToken cancel)
    {
        var start = _headerBytes;
        _headerBytes += bytes;
        if (_header.Length < _headerBytes)
            Array.Resize(ref _header, _headerBytes * 2);
        var part = _header.AsMemory(start, bytes);
        await ReadExactlyAsync(part, cancel);
        return part;
    }

    private async ValueTask ReadExactlyAsync(Memory<byte> buffer, CancellationToken cancel)
    {
        if (await source.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancel) < buffer.Length)
            throw CutOff();
    }

    private static long Padded(long bytes) => (bytes + BlockBytes - 1) / BlockBytes * BlockBytes;

    private static EngineException CutOff() => Damaged("it is cut off");

    private static EngineException Damaged(string how) => new(EngineFailure.Failed, $"the image tar is damaged: {how}");
}
