using EdgeFirmware.Contracts;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Workloads;

internal static partial class WorkloadLog
{
    [LoggerMessage(1, LogLevel.Debug, "{Workload}: inputs wait, {Owner} cannot take them: {Why}")]
    public static partial void OwnerUnreachable(ILogger log, WorkloadId workload, NodeId owner, string why);

    [LoggerMessage(2, LogLevel.Information, "{Workload}: container {Container} runs at epoch {Epoch}")]
    public static partial void Started(ILogger log, WorkloadId workload, string container, long epoch);

    [LoggerMessage(3, LogLevel.Information, "{Workload}: {What} removed: {Why}")]
    public static partial void Removed(ILogger log, WorkloadId workload, string what, string why);

    [LoggerMessage(8, LogLevel.Warning, "{Workload}: {What} could not be removed: {Why}")]
    public static partial void NotRemoved(ILogger log, WorkloadId workload, string what, string why);

    [LoggerMessage(4, LogLevel.Warning, "{Workload}: still busy with a message after {Seconds} s; stopped all the same, the message is kept")]
    public static partial void NotIdle(ILogger log, WorkloadId workload, int seconds);

    [LoggerMessage(5, LogLevel.Warning, "container engine: {Why}")]
    public static partial void EngineFault(ILogger log, string why);

    [LoggerMessage(6, LogLevel.Information, "{Workload}: {Bytes} bytes received from {Peer}, {Layers} of {AllLayers} layers were here")]
    public static partial void Received(ILogger log, WorkloadId workload, long bytes, NodeId peer, int layers, int allLayers);

    [LoggerMessage(7, LogLevel.Warning, "{Workload}: its inlet is full; messages at QoS 0 are dropped until there is room")]
    public static partial void InletFull(ILogger log, WorkloadId workload);
}
