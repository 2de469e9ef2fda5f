using EdgeFirmware.Contracts.Streams;

namespace EdgeFirmware.Platform.Engine;

/// <summary>An answer that is read as it comes. A connection that breaks on the way is <see cref="Contracts.Engine.EngineException"/>,
/// so a reader can tell the engine's failure from its own end of a copy.</summary>
internal sealed class EngineStream(Stream inner, HttpResponseMessage answer, string socket) : ForwardReadStream
{
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            return await inner.ReadAsync(buffer, cancellationToken);
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            throw EngineFailures.FromSocket(socket, e);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
            answer.Dispose();
        }
        base.Dispose(disposing);
    }
}
