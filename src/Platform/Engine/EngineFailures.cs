using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using EdgeFirmware.Contracts.Engine;

namespace EdgeFirmware.Platform.Engine;

/// <summary>Decides which <see cref="EngineFailure"/> an answer or a broken connection is. Pure, apart from looking whether the socket exists.</summary>
internal static class EngineFailures
{
    private const int MessageLengthMax = 600;

    public static EngineException FromAnswer(HttpStatusCode status, ReadOnlySpan<byte> body)
    {
        var message = MessageIn(body);
        if (message.Length == 0)
            message = $"the engine answered {(int)status} without saying why";
        return new EngineException(Classify((int)status, message), message);
    }

    /// <summary>An error reported inside a stream whose status was 200.</summary>
    public static EngineException FromProgress(string message) => new(Classify(0, message), Bounded(message));

    public static EngineException FromSocket(string socket, Exception cause)
    {
        var code = (cause.InnerException as SocketException ?? cause as SocketException)?.SocketErrorCode;
        var message = code switch
        {
            SocketError.AccessDenied =>
                $"not allowed to use the container engine's socket {socket}: run the firmware as root or in the group that owns the socket",
            not null when !File.Exists(socket) =>
                $"no container engine socket {socket}: install docker.io or podman, start it, or set the engine's socket in the configuration",
            SocketError.ConnectionRefused =>
                $"nothing listens on the container engine's socket {socket}: start the engine (docker.service or podman.socket)",
            _ => $"connection to the container engine on {socket} lost: {cause.Message}",
        };
        return new EngineException(EngineFailure.Unreachable, message, cause);
    }

    public static EngineException TooLate(string socket, TimeSpan deadline) => new(
        EngineFailure.Unreachable,
        $"no answer from the container engine on {socket} within {deadline.TotalSeconds:0.#} s: look at its log, or restart it if it hangs");

    public static EngineException Nonsense(string socket, string what, Exception? cause = null) =>
        new(EngineFailure.Failed, $"what answers on {socket} does not speak the Docker Engine API: {what}", cause);

    /// <param name="status">0 when the error came inside a stream.</param>
    internal static EngineFailure Classify(int status, string message)
    {
        if (Says(message, "no space left on device") || Says(message, "disk quota exceeded"))
            return EngineFailure.DiskFull;
        return status switch
        {
            404 => EngineFailure.NotFound,
            409 => EngineFailure.Conflict,
            // Podman answers 500 where Docker answers 409.
            500 when Says(message, "container state improper") || Says(message, "already in use") || Says(message, "already exists") =>
                EngineFailure.Conflict,
            >= 400 and < 500 => EngineFailure.Rejected,
            0 or 500 when Says(message, "manifest unknown") || Says(message, "repository does not exist") => EngineFailure.NotFound,
            _ => EngineFailure.Failed,
        };
    }

    internal static string MessageIn(ReadOnlySpan<byte> body)
    {
        try
        {
            if (body.Length > 0 && body[0] == (byte)'{' && JsonSerializer.Deserialize(body, EngineJson.Default.ErrorAnswer) is { Message: { } said })
                return Bounded(said.Trim());
        }
        catch (JsonException)
        {
            // Whatever it is, the operator should see it.
        }
        return Bounded(Encoding.UTF8.GetString(body).Trim());
    }

    private static string Bounded(string text) => text.Length <= MessageLengthMax ? text : string.Concat(text.AsSpan(0, MessageLengthMax), "…");

    private static bool Says(string message, string what) => message.Contains(what, StringComparison.OrdinalIgnoreCase);
}
