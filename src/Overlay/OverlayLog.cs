using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Overlay;

internal static partial class OverlayLog
{
    [LoggerMessage(1, LogLevel.Information, "{Link}: {Kind}: {Why}")]
    public static partial void Happened(ILogger log, string link, string kind, string why);

    [LoggerMessage(2, LogLevel.Warning, "links are not watched, next attempt in {Seconds} s: {Why}")]
    public static partial void NotWatched(ILogger log, double seconds, string why);

    [LoggerMessage(4, LogLevel.Warning, "nothing is heard from other nodes, next attempt in {Seconds} s: {Why}")]
    public static partial void NotHeard(ILogger log, double seconds, string why);

    [LoggerMessage(5, LogLevel.Warning, "a message of {Peer} came to nothing: {Why}")]
    public static partial void NotServed(ILogger log, Contracts.NodeId peer, string why);

    [LoggerMessage(3, LogLevel.Trace, "{Link}: {Target} asked, {Outcome} after {Milliseconds} ms")]
    public static partial void Asked(ILogger log, string link, string target, Contracts.Links.ProbeOutcome outcome, double milliseconds);
}
