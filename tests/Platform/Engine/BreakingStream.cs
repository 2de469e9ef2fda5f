using EdgeFirmware.Contracts.Streams;

namespace EdgeFirmware.Platform.Tests.Engine;

/// <summary>A transfer that fails after some bytes, as one from a peer that went away.</summary>
internal sealed class BreakingStream(Stream inner, int bytesUntilBreak) : ForwardReadStream
{
    public const string Message = "the peer went away";

    private int _left = bytesUntilBreak;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_left <= 0)
            throw new InvalidDataException(Message);
        var read = await inner.ReadAsync(buffer[..Math.Min(buffer.Length, _left)], cancellationToken);
        _left -= read;
        return read;
    }
}
