using System.Runtime.CompilerServices;

namespace EdgeFirmware.Architecture;

/// <summary>The source tree the tests read; nothing is built or loaded.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    public static IReadOnlyList<SourceProject> Projects { get; } =
        [.. Directory.EnumerateFiles(Path.Combine(Root, "src"), "*.csproj", SearchOption.AllDirectories)
            .Where(IsSource).Order(StringComparer.Ordinal).Select(SourceProject.Read)];

    public static SourceProject Project(string name) => Projects.Single(project => project.Name == name);

    /// <summary>What the compiler or the tools wrote is not ours to judge.</summary>
    public static bool IsSource(string path)
    {
        var parts = Path.GetRelativePath(Root, path).Split(Path.DirectorySeparatorChar);
        return !parts.Contains("bin") && !parts.Contains("obj");
    }

    public static string Relative(string path) => Path.GetRelativePath(Root, path);

    private static string Find([CallerFilePath] string here = "")
    {
        for (var directory = Path.GetDirectoryName(here); directory is not null; directory = Path.GetDirectoryName(directory))
        {
            if (File.Exists(Path.Combine(directory, "EdgeFirmware.sln")))
                return directory;
        }
        throw new DirectoryNotFoundException($"no EdgeFirmware.sln above {here}");
    }
}
