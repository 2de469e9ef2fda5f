using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeFirmware.Firmware.Operations;

namespace EdgeFirmware.Firmware.Control;

/// <summary>The command line's side of the control socket.</summary>
internal static class ControlClient
{
    /// <exception cref="NodeUnreachableException">No node runs there, or this user may not talk to it.</exception>
    /// <exception cref="OperationRefusedException">The node says no.</exception>
    public static async IAsyncEnumerable<JsonNode?> AskAsync(
        string socketPath, ControlRequest request, [EnumeratorCancellation] CancellationToken cancel)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), cancel);
        }
        catch (SocketException error)
        {
            throw new NodeUnreachableException(socketPath, error.SocketErrorCode);
        }
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync((byte[])[.. JsonSerializer.SerializeToUtf8Bytes(request, FirmwareJson.Default.ControlRequest), (byte)'\n'], cancel);
        using var reader = new StreamReader(stream);
        var answered = false;
        while (await reader.ReadLineAsync(cancel) is { } line)
        {
            answered = true;
            var reply = JsonSerializer.Deserialize(line, FirmwareJson.Default.ControlReply)!;
            if (reply.Status >= 400)
                throw new OperationRefusedException(reply.Status, reply.Body?["detail"]?.GetValue<string>() ?? "refused");
            yield return reply.Body;
        }
        if (!answered && request.Command != "logs")
            throw new OperationRefusedException(503, "the node ended without an answer");
    }
}

internal sealed class NodeUnreachableException(string path, SocketError error) : Exception(error switch
{
    SocketError.AccessDenied => $"{path}: permission denied; run as root or as the user of the service",
    _ => $"no node answers at {path}; start it with 'edge-firmware run', or name its data directory with --data or its --config",
});
