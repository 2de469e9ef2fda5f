using EdgeFirmware.Lab.Os;

namespace EdgeFirmware.Lab.Sites;

/// <summary>A command of the firmware ended with an exit code other than 0.</summary>
public sealed class FirmwareException(string command, CommandOutcome outcome)
    : Exception($"edge-firmware {command}: exit code {outcome.ExitCode}\n{outcome.Error}\n{outcome.Output}")
{
    public CommandOutcome Outcome { get; } = outcome;
}
