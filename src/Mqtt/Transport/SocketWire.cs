using System.Net.Sockets;

namespace EdgeFirmware.Mqtt.Transport;

/// <summary>A socket as it is: nothing between the broker and the kernel.</summary>
internal sealed class SocketWire(Socket socket) : Wire
{
    public override TransportKind Kind => socket.AddressFamily == AddressFamily.Unix ? TransportKind.Unix : TransportKind.Tcp;

    public override ValueTask<int> ReceiveAsync(Memory<byte> into, CancellationToken cancellation = default) =>
        socket.ReceiveAsync(into, SocketFlags.None, cancellation);

    public override int SendNow(ReadOnlySpan<byte> bytes) => SendNow(socket, bytes);

    /// <exception cref="SocketException">The connection is broken.</exception>
    public static int SendNow(Socket socket, ReadOnlySpan<byte> bytes)
    {
        var sent = socket.Send(bytes, SocketFlags.None, out var error);
        return error switch
        {
            SocketError.Success => sent,
            SocketError.WouldBlock => 0,
            _ => throw new SocketException((int)error),
        };
    }

    public override ValueTask<int> SendAsync(ReadOnlyMemory<byte> bytes) => socket.SendAsync(bytes, SocketFlags.None);

    public override ValueTask ShutdownAsync(SocketShutdown how)
    {
        socket.Shutdown(how);
        return ValueTask.CompletedTask;
    }

    public override void Dispose() => socket.Dispose();
}
