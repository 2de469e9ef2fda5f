using System.Net.Sockets;

namespace EdgeFirmware.Platform.Engine;

/// <summary>The connection to the engine. An engine that dislikes an upload answers and closes before it has read everything; then
/// <see cref="HttpClient"/> would report the broken pipe and lose the answer. So after the first failed write, which
/// <see cref="EngineUpload"/> catches, the rest of the request is dropped silently and the answer gets read.</summary>
internal sealed class EngineSocketStream(Socket socket) : NetworkStream(socket, ownsSocket: true)
{
    private bool _closedByEngine;

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_closedByEngine)
            return;
        try
        {
            await base.WriteAsync(buffer, cancellationToken);
        }
        catch (IOException)
        {
            _closedByEngine = true;
            throw;
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
}
