using System.Net.Sockets;
using System.Net.WebSockets;

namespace EdgeFirmware.Mqtt.Transport;

/// <summary>
/// MQTT in binary messages of a WebSocket (MQTT 5 section 6): packets may share messages and span them, a text message ends the connection
/// [MQTT-6.0.0-1, MQTT-6.0.0-2].
/// </summary>
internal sealed class WebSocketWire(WebSocket socket) : Wire
{
    private readonly CancellationTokenSource _gone = new();
    private bool _closed;

    public override TransportKind Kind => TransportKind.WebSocket;

    public override async ValueTask<int> ReceiveAsync(Memory<byte> into, CancellationToken cancellation = default)
    {
        if (_closed) return 0;
        using var either = cancellation.CanBeCanceled ? CancellationTokenSource.CreateLinkedTokenSource(cancellation, _gone.Token) : null;
        try
        {
            while (true)
            {
                var received = await socket.ReceiveAsync(into, either?.Token ?? _gone.Token);
                _closed = received.MessageType == WebSocketMessageType.Close;
                if (received.MessageType == WebSocketMessageType.Text) await RefuseTextAsync();
                // A message may be empty, which must not look like the end.
                if (_closed || into.IsEmpty || received.Count > 0) return received.Count;
            }
        }
        catch (Exception failure) when (IsEnd(failure))
        {
            throw new IOException(failure.Message, failure);
        }
    }

    public override int SendNow(ReadOnlySpan<byte> bytes) => 0;

    public override async ValueTask<int> SendAsync(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            await socket.SendAsync(bytes, WebSocketMessageType.Binary, endOfMessage: true, _gone.Token);
            return bytes.Length;
        }
        catch (Exception failure) when (IsEnd(failure))
        {
            throw new IOException(failure.Message, failure);
        }
    }

    public override async ValueTask ShutdownAsync(SocketShutdown how)
    {
        if (socket.State is not (WebSocketState.Open or WebSocketState.CloseReceived)) return;
        try
        {
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, _gone.Token);
        }
        catch (Exception failure) when (IsEnd(failure))
        {
            throw new IOException(failure.Message, failure);
        }
    }

    public override void Dispose()
    {
        // A receive that is under way does not notice that its stream is disposed of.
        _gone.Cancel();
        socket.Dispose();
    }

    /// <summary>What the layers below say when the connection ends in the middle of something; InvalidOperation is Kestrel's pipe.</summary>
    private static bool IsEnd(Exception failure) => failure is WebSocketException or OperationCanceledException or InvalidOperationException;

    private async Task RefuseTextAsync()
    {
        if (socket.State == WebSocketState.Open)
            await socket.CloseOutputAsync(WebSocketCloseStatus.InvalidMessageType, "MQTT is binary", _gone.Token);
        throw new IOException("The peer sent a text message.");
    }
}
