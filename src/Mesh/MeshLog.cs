using System.Net;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mesh.Membership;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Mesh;

internal static partial class MeshLog
{
    [LoggerMessage(1, LogLevel.Information, "{Member} at {Address} is {Status}: {Why}")]
    public static partial void MemberChanged(ILogger log, NodeId member, IPEndPoint address, MemberStatus status, string why);

    [LoggerMessage(2, LogLevel.Information, "{Subject}: {Kind}: {Why}")]
    public static partial void Happened(ILogger log, string subject, string kind, string why);

    [LoggerMessage(3, LogLevel.Debug, "control messages to {Peer} lost: {Why}")]
    public static partial void ControlLost(ILogger log, NodeId peer, string why);

    [LoggerMessage(4, LogLevel.Warning, "datagram from {From} dropped: {Why}")]
    public static partial void DatagramDropped(ILogger log, IPEndPoint from, string why);

    [LoggerMessage(5, LogLevel.Error, "workload records cannot be saved: {Why}")]
    public static partial void RecordNotSaved(ILogger log, string why);

    [LoggerMessage(6, LogLevel.Warning, "overloaded: {Why}")]
    public static partial void Overloaded(ILogger log, string why);

    [LoggerMessage(8, LogLevel.Debug, "gossip to {Peer} by stream lost: {Why}")]
    public static partial void StreamLost(ILogger log, NodeId peer, string why);

    [LoggerMessage(9, LogLevel.Warning, "reach is {Reach}: {Why}")]
    public static partial void ReachChanged(ILogger log, Reach reach, string why);

    [LoggerMessage(7, LogLevel.Information, "no longer overloaded")]
    public static partial void Relieved(ILogger log);

    [LoggerMessage(20, LogLevel.Debug, "site not compared with {Peer}: {Why}")]
    public static partial void NotCompared(ILogger log, string peer, string why);

    [LoggerMessage(21, LogLevel.Error, "{File} of the site cannot be kept: {Why}")]
    public static partial void SiteNotKept(ILogger log, Site.SiteFile file, string why);
}
