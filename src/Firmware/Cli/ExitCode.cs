namespace EdgeFirmware.Firmware.Cli;

internal static class ExitCode
{
    public const int Done = 0;
    public const int Refused = 1;
    public const int Usage = 2;
    public const int NoNode = 3;

    /// <summary>mosquitto_sub's for <c>-W</c>.</summary>
    public const int TimedOut = 27;
}
