namespace EdgeFirmware.Platform.Engine;

/// <summary>How long to wait for an answer. Streams (save, load, pull, logs, exec, events) have none: their caller cancels.</summary>
internal static class EngineDeadlines
{
    /// <summary>Reads of the engine's memory. Half a second on a loaded Pi; an engine that needs ten is stuck.</summary>
    public static readonly TimeSpan Inspect = TimeSpan.FromSeconds(10);

    /// <summary>Create, start, tag, remove: writes to an SD card and starts processes.</summary>
    public static readonly TimeSpan Change = TimeSpan.FromSeconds(60);

    /// <summary>On top of the grace given to a container, for SIGKILL and unmounting.</summary>
    public static readonly TimeSpan StopSlack = TimeSpan.FromSeconds(30);
}
