using System.Xml.Linq;

namespace EdgeFirmware.Architecture;

/// <summary>One project under <c>src</c>, as its .csproj and its files say.</summary>
/// <param name="Name">Its folder, for example "Mesh".</param>
/// <param name="References">The files it references as projects, relative to the repository.</param>
internal sealed record SourceProject(string Name, string Directory, XDocument Definition, IReadOnlyList<string> References)
{
    public IEnumerable<SourceFile> Files =>
        System.IO.Directory.EnumerateFiles(Directory, "*.cs", SearchOption.AllDirectories)
            .Where(Repository.IsSource).Order(StringComparer.Ordinal).Select(SourceFile.Read);

    public static SourceProject Read(string path)
    {
        var directory = Path.GetDirectoryName(path)!;
        var definition = XDocument.Load(path);
        var references = definition.Descendants("ProjectReference")
            .Select(reference => Repository.Relative(Path.GetFullPath(Path.Combine(directory, reference.Attribute("Include")!.Value.Replace('\\', '/')))));
        return new SourceProject(Path.GetFileName(directory), directory, definition, [.. references]);
    }

    /// <summary>The names of the projects of <c>src</c> it references.</summary>
    public IEnumerable<string> Arrows =>
        References.Where(reference => reference.StartsWith("src/", StringComparison.Ordinal)).Select(reference => reference.Split('/')[1]);
}
