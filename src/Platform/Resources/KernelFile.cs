using Microsoft.Win32.SafeHandles;

namespace EdgeFirmware.Platform.Resources;

/// <summary>A small file of the kernel that is read again and again: opened once, read from its start each time (the kernel then writes it
/// anew). One that is missing or unreadable (no PSI: Raspberry Pi kernels have the file and refuse to read it) rests for a while.</summary>
/// <param name="path">Empty for a file that this machine does not have.</param>
/// <param name="readingsToRest">A failed read costs an exception; once a minute is cheap enough, which is this at one reading a second.</param>
internal sealed class KernelFile(string path, int readingsToRest = 60) : IDisposable
{
    private SafeFileHandle? _handle;
    private int _rest;

    /// <returns>What the file holds, at most <paramref name="buffer"/>; empty when it cannot be read.</returns>
    public ReadOnlySpan<byte> Read(byte[] buffer) => Read(buffer, whole: false);

    /// <summary>For a file that the kernel gives a page at a time, such as <c>/proc/vmstat</c>.</summary>
    public ReadOnlySpan<byte> ReadWhole(byte[] buffer) => Read(buffer, whole: true);

    public void Dispose()
    {
        _handle?.Dispose();
        _handle = null;
    }

    private ReadOnlySpan<byte> Read(byte[] buffer, bool whole)
    {
        if (_rest > 0)
        {
            _rest--;
            return default;
        }
        try
        {
            if (_handle is null && !Open())
                return default;
            var length = RandomAccess.Read(_handle!, buffer, 0);
            for (var more = length; whole && more > 0 && length < buffer.Length; length += more)
                more = RandomAccess.Read(_handle!, buffer.AsSpan(length), length);
            return buffer.AsSpan(0, length);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Dispose();
            _rest = readingsToRest;
            return default;
        }
    }

    private bool Open()
    {
        if (path.Length == 0 || !File.Exists(path))
        {
            _rest = readingsToRest;
            return false;
        }
        _handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        return true;
    }
}
