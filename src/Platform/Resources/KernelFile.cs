using Microsoft.Win32.SafeHandles;

namespace EdgeFirmware.Platform.Resources;

/// <summary>A small file of the kernel that is read again and again: opened once, read from its start each time (the kernel then writes it
/// anew). One that is missing or unreadable (no PSI: Raspberry Pi kernels have the file and refuse to read it) rests for a while.</summary>
internal sealed class KernelFile(string path) : IDisposable
{
    /// <summary>A failed read costs an exception; once a minute is cheap enough at one reading a second.</summary>
    private const int ReadingsToRest = 60;

    private SafeFileHandle? _handle;
    private int _rest;

    /// <returns>What the file holds, at most <paramref name="buffer"/>; empty when it cannot be read.</returns>
    public ReadOnlySpan<byte> Read(byte[] buffer)
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
            return buffer.AsSpan(0, RandomAccess.Read(_handle!, buffer, 0));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Dispose();
            _rest = ReadingsToRest;
            return default;
        }
    }

    public void Dispose()
    {
        _handle?.Dispose();
        _handle = null;
    }

    private bool Open()
    {
        if (!File.Exists(path))
        {
            _rest = ReadingsToRest;
            return false;
        }
        _handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        return true;
    }
}
