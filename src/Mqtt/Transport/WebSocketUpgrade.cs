using System.Security.Cryptography;
using System.Text;

namespace EdgeFirmware.Mqtt.Transport;

/// <summary>What both sides of WebSocket's opening handshake need (RFC 6455 section 4), for MQTT in it.</summary>
public static class WebSocketUpgrade
{
    /// <summary>The sub-protocol that a client offers and a server chooses [MQTT-6.0.0-3, MQTT-6.0.0-4].</summary>
    public const string SubProtocol = "mqtt";

    /// <summary>The value of <c>Sec-WebSocket-Accept</c> for one of <c>Sec-WebSocket-Key</c>.</summary>
    public static string Accept(string key)
    {
        // The magic and the hash are the RFC's; they are no secret and protect from caches, not from attackers.
#pragma warning disable CA5350
        return Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
#pragma warning restore CA5350
    }
}
