using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace EdgeFirmware.Platform.Engine;

/// <summary>Reads a stream of JSON objects, one a line, as the engine's progress and events come. A line has a limit; an unfinished last
/// line still counts, because Podman ends some streams without a newline.</summary>
internal static class JsonLines
{
    /// <summary>An event repeats all labels of its container; Compose puts a few kB there.</summary>
    public const int LineBytesMax = 256 << 10;

    public static async IAsyncEnumerable<T> ReadAsync<T>(
        Stream source, JsonTypeInfo<T> type, string socket, [EnumeratorCancellation] CancellationToken cancel)
    {
        var buffer = new byte[4 << 10];
        var filled = 0;
        while (true)
        {
            var read = await source.ReadAsync(buffer.AsMemory(filled), cancel);
            var start = 0;
            var end = filled + read;
            while (buffer.AsSpan(start, end - start).IndexOf((byte)'\n') is >= 0 and var length)
            {
                if (Parse(buffer.AsSpan(start, length), type, socket, out var item))
                    yield return item;
                start += length + 1;
            }
            filled = end - start;
            buffer.AsSpan(start, filled).CopyTo(buffer);
            if (read == 0)
                break;
            if (filled == buffer.Length)
                buffer = Grown(buffer, socket);
        }
        if (Parse(buffer.AsSpan(0, filled), type, socket, out var last))
            yield return last;
    }

    private static byte[] Grown(byte[] buffer, string socket)
    {
        if (buffer.Length >= LineBytesMax)
            throw EngineFailures.Nonsense(socket, $"a line of more than {LineBytesMax} bytes");
        Array.Resize(ref buffer, buffer.Length * 2);
        return buffer;
    }

    private static bool Parse<T>(ReadOnlySpan<byte> line, JsonTypeInfo<T> type, string socket, out T item)
    {
        item = default!;
        line = line.Trim(" \r\n\t"u8);
        if (line.IsEmpty)
            return false;
        try
        {
            var parsed = JsonSerializer.Deserialize(line, type);
            if (parsed is null)
                return false;
            item = parsed;
            return true;
        }
        catch (JsonException e)
        {
            throw EngineFailures.Nonsense(socket, e.Message, e);
        }
    }
}
