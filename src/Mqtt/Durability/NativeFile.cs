using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace EdgeFirmware.Mqtt.Durability;

/// <summary>The calls that .NET's file API does not have: fdatasync, fallocate and the fsync of a directory.</summary>
internal static partial class NativeFile
{
    /// <summary>O_RDONLY | O_CLOEXEC (fcntl.h); the same on every Linux architecture we build for.</summary>
    private const int ReadOnlyCloseOnExec = 0x80000;

    /// <summary>EOPNOTSUPP: the file system cannot reserve space. Then a full disk shows when it is written to.</summary>
    private const int NotSupported = 95;

    /// <exception cref="IOException">The disk failed. What was written since the last success is in doubt.</exception>
    public static void SyncData(SafeFileHandle file)
    {
        if (FdatasyncNative(file) != 0) throw Failure("fdatasync");
    }

    /// <summary>Gives the file this many bytes of disk and of length, all zero.</summary>
    /// <exception cref="IOException">There is no room.</exception>
    public static void Allocate(SafeFileHandle file, long bytes)
    {
        if (FallocateNative(file, 0, 0, (nint)bytes) == 0 || Marshal.GetLastPInvokeError() == NotSupported) return;
        throw Failure("fallocate");
    }

    /// <summary>Makes names that were added, replaced or removed durable.</summary>
    /// <exception cref="IOException">The disk failed.</exception>
    public static void SyncDirectory(string path)
    {
        var descriptor = OpenNative(path, ReadOnlyCloseOnExec);
        if (descriptor < 0) throw Failure($"open {path}");
        using var directory = new SafeFileHandle(descriptor, ownsHandle: true);
        if (FsyncNative(directory) != 0) throw Failure($"fsync {path}");
    }

    private static IOException Failure(string what) => new($"{what}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenNative(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FsyncNative(SafeFileHandle descriptor);

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    private static partial int FdatasyncNative(SafeFileHandle descriptor);

    /// <summary>off_t is a long in the plain symbol: 32 bits on 32-bit boards, and segments are far smaller.</summary>
    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    private static partial int FallocateNative(SafeFileHandle descriptor, int mode, nint offset, nint length);
}
