using System.Buffers;
using System.Net;
using System.Net.Http.Headers;

namespace EdgeFirmware.Platform.Engine;

/// <summary>A tar on its way to the engine, chunked, never held in memory. It keeps the failures of the two ends apart: a source that breaks is
/// the caller's error (<see cref="SourceFailure"/>) and aborts the request; an engine that stops reading has an answer for us.</summary>
internal sealed class EngineUpload : HttpContent
{
    private const int ChunkBytes = 64 << 10;

    private readonly Stream _source;

    public EngineUpload(Stream source)
    {
        _source = source;
        Headers.ContentType = new MediaTypeHeaderValue("application/x-tar");
    }

    public Exception? SourceFailure { get; private set; }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var chunk = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        try
        {
            int read;
            while ((read = await ReadAsync(chunk, cancellationToken)) > 0)
                await stream.WriteAsync(chunk.AsMemory(0, read), cancellationToken);
            await stream.FlushAsync(cancellationToken);
        }
        catch (IOException) when (SourceFailure is null)
        {
            // The engine closed its end: see EngineSocketStream.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(chunk);
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    private async ValueTask<int> ReadAsync(byte[] chunk, CancellationToken cancel)
    {
        try
        {
            return await _source.ReadAsync(chunk, cancel);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            SourceFailure = e;
            // HttpClient reports this type as HttpRequestException and aborts the connection.
            throw new IOException("the upload's source failed", e);
        }
    }
}
