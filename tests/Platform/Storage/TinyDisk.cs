using System.Diagnostics;

namespace EdgeFirmware.Platform.Tests.Storage;

/// <summary>A file system of a few pages, mounted for one test. Needs root.</summary>
internal sealed class TinyDisk : IDisposable
{
    public TinyDisk(int kibibytes)
    {
        Path = Directory.CreateTempSubdirectory("edge-tiny-").FullName;
        Run("mount", "-t", "tmpfs", "-o", $"size={kibibytes}k", "edge-tiny", Path);
    }

    public string Path { get; }

    public void Dispose()
    {
        Run("umount", Path);
        Directory.Delete(Path);
    }

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }
}
