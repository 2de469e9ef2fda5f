namespace EdgeFirmware.Platform.Tests.Resources;

/// <summary>A directory that stands for <c>/</c>.</summary>
internal sealed class FakeRoot : IDisposable
{
    public FakeRoot() => Directory.CreateDirectory(Path);

    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"edge-root-{Guid.NewGuid():N}");

    /// <summary>Overwrites in place, as the kernel does: an open handle sees the new text.</summary>
    public string this[string path]
    {
        set
        {
            var file = Path + path;
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(file)!);
            File.WriteAllText(file, value);
        }
    }

    public void Remove(string path) => File.Delete(Path + path);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
