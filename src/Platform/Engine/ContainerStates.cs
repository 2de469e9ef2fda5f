using EdgeFirmware.Contracts.Engine;

namespace EdgeFirmware.Platform.Engine;

internal static class ContainerStates
{
    /// <summary>Docker's states and Podman's additional ones. A state we do not know is one we must not call dead.</summary>
    public static ContainerState Parse(string? status) => status switch
    {
        "created" or "configured" or "initialized" => ContainerState.Created,
        "paused" => ContainerState.Paused,
        "restarting" => ContainerState.Restarting,
        "exited" or "stopped" => ContainerState.Exited,
        "dead" or "removing" => ContainerState.Dead,
        _ => ContainerState.Running,
    };

    public static bool HasEnded(ContainerState state) => state is ContainerState.Exited or ContainerState.Dead;
}
