using System.Text.Json;
using EdgeFirmware.Firmware.Operations;

namespace EdgeFirmware.Firmware.Cli;

internal static class JsonText
{
    public static readonly JsonSerializerOptions Indented = new(FirmwareJson.Default.Options) { WriteIndented = true };

    public static string Of(ProblemView problem) => JsonSerializer.SerializeToNode(problem, FirmwareJson.Default.ProblemView)!.ToJsonString(Indented);

    public static string Of(VersionView version) => JsonSerializer.SerializeToNode(version, FirmwareJson.Default.VersionView)!.ToJsonString(Indented);
}
