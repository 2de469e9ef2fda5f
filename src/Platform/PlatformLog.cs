using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Platform;

/// <summary>Every message of this project. Event IDs: 100-119 engine, 120-129 images, 130-139 resources, 140-149 peers and network, 150-159 storage.</summary>
internal static partial class PlatformLog
{
    [LoggerMessage(100, LogLevel.Information, "Container engine {Name} {Version} on {Socket}, speaking API {ApiVersion}")]
    public static partial void EngineFound(this ILogger log, string name, string version, string socket, string apiVersion);

    [LoggerMessage(101, LogLevel.Trace, "Engine {Method} {Path}: {Status}")]
    public static partial void EngineAnswered(this ILogger log, string method, string path, int status);

    [LoggerMessage(102, LogLevel.Debug, "Engine on {Socket} gave no usable answer: {Why}")]
    public static partial void EngineLost(this ILogger log, string socket, string why);

    [LoggerMessage(140, LogLevel.Warning, "conversation from {From} refused: {Why}")]
    public static partial void PeerRefused(this ILogger log, string from, string why);

    [LoggerMessage(141, LogLevel.Warning, "accepting a peer failed: {Why}")]
    public static partial void AcceptFailed(this ILogger log, string why);

    [LoggerMessage(142, LogLevel.Warning, "{Address} is no address of this node yet; it is reached there once the address comes up")]
    public static partial void AddressNotUp(this ILogger log, string address);

    [LoggerMessage(143, LogLevel.Warning, "the kernel does not bind a socket to {Link} ({Why}): datagrams go where the routing table sends them")]
    public static partial void BindingRefused(this ILogger log, string link, string why);

    [LoggerMessage(144, LogLevel.Warning, "no datagrams over {Link}: {Why}")]
    public static partial void LinkNotServed(this ILogger log, string link, string why);

    [LoggerMessage(150, LogLevel.Error, "{Path} cannot be read and is set aside: {Why}")]
    public static partial void FileUnreadable(this ILogger log, string path, string why);
}
