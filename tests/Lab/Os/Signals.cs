using System.Runtime.InteropServices;

namespace EdgeFirmware.Lab.Os;

/// <summary>Signals to processes the lab has started.</summary>
public static partial class Signals
{
    public const int Kill = 9;
    public const int Terminate = 15;

    /// <summary>No-op when the process has ended.</summary>
    public static void Send(int process, int signal) => _ = kill(process, signal);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int process, int signal);
}
