using System.Security.Cryptography;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Contracts.Streams;

namespace EdgeFirmware.Workloads.Transfer;

/// <summary>A stream written as chunk frames; <see cref="EndAsync"/> adds the digest by which the reader knows that it has everything.</summary>
internal sealed class FrameWriteStream(IPeerConversation conversation) : Stream
{
    private const int ChunkBytesMax = 128 * 1024;

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (buffer.Length > 0)
        {
            var chunk = buffer[..Math.Min(buffer.Length, ChunkBytesMax)];
            _hash.AppendData(chunk.Span);
            await conversation.SendAsync((byte)TransferFrame.Chunk, chunk, cancellationToken);
            buffer = buffer[chunk.Length..];
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public async Task EndAsync(CancellationToken cancel) =>
        await conversation.SendAsync((byte)TransferFrame.End, _hash.GetHashAndReset(), cancel);

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("asynchronous only");

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _hash.Dispose();
        base.Dispose(disposing);
    }
}

/// <summary>The other end: reads chunk frames up to the digest. A stream that ends without it, or with another one, is a
/// <see cref="PeerException"/>, so that nothing truncated is ever taken for whole.</summary>
internal sealed class FrameReadStream(IPeerConversation conversation) : ForwardReadStream
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private ReadOnlyMemory<byte> _chunk;
    private bool _ended;

    public long BytesRead { get; private set; }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_chunk.Length == 0 && !_ended)
            await NextAsync(cancellationToken);
        var count = Math.Min(_chunk.Length, buffer.Length);
        _chunk[..count].CopyTo(buffer);
        _chunk = _chunk[count..];
        return count;
    }

    /// <summary>Reads what the consumer left, so that the conversation can go on.</summary>
    public async Task DrainAsync(CancellationToken cancel)
    {
        while (!_ended)
            await NextAsync(cancel);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _hash.Dispose();
        base.Dispose(disposing);
    }

    private async Task NextAsync(CancellationToken cancel)
    {
        var frame = await conversation.ReceiveAsync(cancel) ?? throw new PeerException("the stream was cut off");
        switch ((TransferFrame)frame.Type)
        {
            case TransferFrame.Chunk:
                _hash.AppendData(frame.Body.Span);
                BytesRead += frame.Body.Length;
                _chunk = frame.Body;
                break;
            case TransferFrame.End:
                if (!frame.Body.Span.SequenceEqual(_hash.GetHashAndReset()))
                    throw new PeerException("the stream was damaged on the way");
                _ended = true;
                break;
            default:
                throw new PeerException($"frame {frame.Type} within a stream");
        }
    }
}
