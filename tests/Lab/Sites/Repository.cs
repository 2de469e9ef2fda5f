using System.Runtime.InteropServices;

namespace EdgeFirmware.Lab.Sites;

/// <summary>Where the sources are and what machine this is.</summary>
public static class Repository
{
    public static string Root { get; } = FindRoot();

    public static string RuntimeIdentifier { get; } = RuntimeInformation.OSArchitecture switch
    {
        Architecture.X64 => "linux-x64",
        Architecture.Arm64 => "linux-arm64",
        _ => "linux-arm",
    };

    /// <summary>As an image names it.</summary>
    public static string EngineArchitecture => RuntimeIdentifier switch { "linux-x64" => "amd64", "linux-arm64" => "arm64", _ => "arm" };

    private static string FindRoot()
    {
        for (var directory = AppContext.BaseDirectory; directory is not null; directory = Path.GetDirectoryName(directory))
            if (File.Exists(Path.Combine(directory, "EdgeFirmware.sln")))
                return directory;
        throw new InvalidOperationException($"no EdgeFirmware.sln above {AppContext.BaseDirectory}");
    }
}
