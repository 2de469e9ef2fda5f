using EdgeFirmware.Contracts;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Firmware.Running;

internal static partial class RunningLog
{
    [LoggerMessage(1, LogLevel.Information, "{Self} runs, version {Version}")]
    public static partial void Started(ILogger log, NodeId self, string version);

    [LoggerMessage(5, LogLevel.Warning, "lab profile: whoever has Mesh.SiteKey can speak for every node; 'edge-firmware site create' makes a site with certificates")]
    public static partial void LabProfile(ILogger log);

    [LoggerMessage(6, LogLevel.Warning, "Mqtt.SensorNet.User: there is no user {User}, so every sensor is refused until there is; 'edge-firmware users add {User} --no-password' makes one")]
    public static partial void NoSensorUser(ILogger log, string user);

    [LoggerMessage(4, LogLevel.Debug, "{KibiBytes} KiB of mapped files let go")]
    public static partial void GaveBack(ILogger log, long kibiBytes);
}
