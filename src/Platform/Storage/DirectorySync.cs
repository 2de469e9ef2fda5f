using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace EdgeFirmware.Platform.Storage;

/// <summary>fsync of a directory, which .NET's file API refuses to open.</summary>
internal static partial class DirectorySync
{
    /// <summary>O_RDONLY | O_CLOEXEC. O_DIRECTORY differs between architectures and is not needed (fcntl.h).</summary>
    private const int ReadOnlyCloseOnExec = 0x80000;

    public static SafeFileHandle Open(string path)
    {
        var descriptor = OpenNative(path, ReadOnlyCloseOnExec);
        return descriptor >= 0
            ? new SafeFileHandle(descriptor, ownsHandle: true)
            : throw new IOException($"{path}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
    }

    public static void Flush(SafeFileHandle directory)
    {
        if (FsyncNative(directory) != 0)
            throw new IOException($"fsync of a directory: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenNative(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FsyncNative(SafeFileHandle descriptor);
}
