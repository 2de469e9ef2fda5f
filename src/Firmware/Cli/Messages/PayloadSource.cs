using System.Runtime.CompilerServices;
using System.Text;
using EdgeFirmware.Firmware.Operations;

namespace EdgeFirmware.Firmware.Cli.Messages;

/// <summary>What <c>pub</c> publishes, one payload after the other, as bytes.</summary>
internal static class PayloadSource
{
    /// <summary>Also of a line. More than any broker here takes in one packet.</summary>
    private const int PayloadBytesMax = 16 << 20;

    /// <exception cref="OperationRefusedException">A payload is too large.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(
        MessageFlags flags, Stream input, [EnumeratorCancellation] CancellationToken cancel)
    {
        if (flags.Lines)
        {
            await foreach (var line in LinesAsync(input, cancel)) yield return line;
            yield break;
        }

        var payload = await WholeAsync(flags, input, cancel);
        for (var i = 0; i < flags.Repeat; i++)
        {
            if (i > 0 && flags.RepeatDelaySeconds > 0) await Task.Delay(TimeSpan.FromSeconds(flags.RepeatDelaySeconds), TimeProvider.System, cancel);
            yield return payload;
        }
    }

    private static async Task<ReadOnlyMemory<byte>> WholeAsync(MessageFlags flags, Stream input, CancellationToken cancel)
    {
        if (flags.Message is { } text) return Encoding.UTF8.GetBytes(text);
        if (flags.Empty) return default;
        if (flags.File is not { } path) return await ReadToEndAsync(input, cancel);
        await using var file = File.OpenRead(path);
        return await ReadToEndAsync(file, cancel);
    }

    private static async Task<ReadOnlyMemory<byte>> ReadToEndAsync(Stream stream, CancellationToken cancel)
    {
        var read = new byte[64 << 10];
        var length = 0;
        for (int count; (count = await stream.ReadAsync(read.AsMemory(length), cancel)) > 0;)
        {
            length += count;
            if (length == read.Length) Grow(ref read);
        }

        return read.AsMemory(0, length);
    }

    private static async IAsyncEnumerable<ReadOnlyMemory<byte>> LinesAsync(Stream input, [EnumeratorCancellation] CancellationToken cancel)
    {
        var read = new byte[64 << 10];
        var length = 0;
        while (true)
        {
            var count = await input.ReadAsync(read.AsMemory(length), cancel);
            length += count;
            var start = 0;
            for (int end; (end = read.AsSpan(start, length - start).IndexOf((byte)'\n')) >= 0; start += end + 1)
                yield return read.AsSpan(start, end).ToArray();
            length -= start;
            if (count == 0) break;
            read.AsSpan(start, length).CopyTo(read);
            if (length == read.Length) Grow(ref read);
        }

        if (length > 0) yield return read.AsSpan(0, length).ToArray();
    }

    private static void Grow(ref byte[] read)
    {
        if (read.Length >= PayloadBytesMax) throw new OperationRefusedException(400, $"a payload is at most {PayloadBytesMax} bytes");
        Array.Resize(ref read, 2 * read.Length);
    }
}
