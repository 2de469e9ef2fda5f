using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using EdgeFirmware.Mqtt.Transport;

namespace EdgeFirmware.Mqtt.Client;

/// <summary>A client's opening handshake of WebSocket (RFC 6455 section 4.1).</summary>
internal static class WebSocketHandshake
{
    private const int AnswerBytesMax = 8 << 10;
    private const int KeyBytes = 16;

    /// <exception cref="IOException">The server does not speak MQTT over WebSocket at that path, or has gone.</exception>
    public static async Task<WebSocket> RunAsync(Stream stream, EndPoint server, string path, CancellationToken cancellation)
    {
        var host = server switch
        {
            DnsEndPoint named => $"{named.Host}:{named.Port}",
            IPEndPoint address => address.ToString(),
            _ => "localhost",
        };
        var key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeyBytes));
        var request =
            $"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            + $"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {WebSocketUpgrade.SubProtocol}\r\n\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request), cancellation);
        Check(await ReadAsync(stream, cancellation), key);
        return WebSocket.CreateFromStream(stream, new WebSocketCreationOptions
        {
            SubProtocol = WebSocketUpgrade.SubProtocol, KeepAliveInterval = Timeout.InfiniteTimeSpan,
        });
    }

    /// <summary>The answer's lines. Not a byte more is taken than belongs to it, because frames may follow.</summary>
    private static async Task<string[]> ReadAsync(Stream stream, CancellationToken cancellation)
    {
        var answer = new byte[AnswerBytesMax];
        for (var count = 0; count < answer.Length; count++)
        {
            if (await stream.ReadAsync(answer.AsMemory(count, 1), cancellation) == 0) throw new IOException("The server closed the connection.");
            if (answer.AsSpan(0, count + 1).EndsWith("\r\n\r\n"u8)) return Encoding.Latin1.GetString(answer, 0, count + 1).Split("\r\n");
        }

        throw new IOException($"The server's answer is longer than {AnswerBytesMax >> 10} KiB.");
    }

    private static void Check(string[] lines, string key)
    {
        if (!lines[0].StartsWith("HTTP/1.1 101", StringComparison.Ordinal)) throw new IOException($"The server answered: {lines[0]}");
        if (ValueOf(lines, "Sec-WebSocket-Accept") != WebSocketUpgrade.Accept(key)) throw new IOException("The server did not answer this request.");
        if (ValueOf(lines, "Sec-WebSocket-Protocol") != WebSocketUpgrade.SubProtocol) throw new IOException("The server does not speak MQTT there.");
    }

    private static string? ValueOf(string[] lines, string name) => lines
        .Where(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))
        .Select(line => line[(name.Length + 1)..].Trim()).FirstOrDefault();
}
