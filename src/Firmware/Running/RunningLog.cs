using EdgeFirmware.Contracts;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Firmware.Running;

internal static partial class RunningLog
{
    [LoggerMessage(1, LogLevel.Information, "{Self} runs, version {Version}")]
    public static partial void Started(ILogger log, NodeId self, string version);

    [LoggerMessage(5, LogLevel.Warning, "lab profile: whoever has Mesh.SiteKey can speak for every node; 'edge-firmware site create' makes a site with certificates")]
    public static partial void LabProfile(ILogger log);

    [LoggerMessage(4, LogLevel.Debug, "{KibiBytes} KiB of mapped files let go")]
    public static partial void GaveBack(ILogger log, long kibiBytes);
}
