using System.Text;
using EdgeFirmware.Lab.Os;
using EdgeFirmware.Lab.Sites;

namespace EdgeFirmware.Lab.Images;

/// <summary>The images of the lab's workload: shared libraries as the base layer, the program above it.</summary>
public static class SampleImages
{
    private static string Binary => Path.Combine(Repository.Root, "out", "samples", "convolution", "convolution");

    /// <summary>Builds the sample when it is missing or older than its sources.</summary>
    public static async Task BuildSampleAsync()
    {
        var sources = new[] { "samples/Convolution", "src/Mqtt" }
            .SelectMany(directory => Directory.EnumerateFiles(Path.Combine(Repository.Root, directory), "*.cs", SearchOption.AllDirectories))
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal));
        if (File.Exists(Binary) && sources.All(source => File.GetLastWriteTimeUtc(source) < File.GetLastWriteTimeUtc(Binary)))
            return;
        await Command.RunAsync(Path.Combine(Repository.Root, "samples", "Convolution", "build.sh"));
    }

    /// <summary>The workload. Images of other editions share both of its layers and add a small one of their own.</summary>
    /// <returns>The archive, in the given directory.</returns>
    public static async Task<string> ConvolutionAsync(string directory, int edition = 1)
    {
        var file = Path.Combine(directory, $"convolution-{edition}.tar");
        List<IReadOnlyList<LayerFile>> layers = [await BaseAsync(), Program()];
        if (edition > 1)
            layers.Add([new LayerFile("edition", () => new MemoryStream(Encoding.ASCII.GetBytes($"{edition}\n")))]);
        ImageArchive.Write(file, $"convolution:{edition}", Repository.EngineArchitecture, ["/convolution"], layers);
        return file;
    }

    /// <summary>The workload with so much ballast that its transfer takes a while.</summary>
    public static async Task<string> LargeAsync(string directory, string reference, int ballastBytes)
    {
        var file = Path.Combine(directory, reference.Replace(':', '-') + ".tar");
        IReadOnlyList<LayerFile> ballast = [new LayerFile("ballast", () => new MemoryStream(Noise(ballastBytes)))];
        ImageArchive.Write(file, reference, Repository.EngineArchitecture, ["/convolution"], [await BaseAsync(), ballast, Program()]);
        return file;
    }

    private static IReadOnlyList<LayerFile> Program() => [new LayerFile("convolution", () => File.OpenRead(Binary), IsExecutable: true)];

    /// <summary>Everything the dynamic linker asks for, under the paths it asks for.</summary>
    private static async Task<IReadOnlyList<LayerFile>> BaseAsync()
    {
        // The name of the node is in /etc/hosts, which the engine writes: look there first.
        List<LayerFile> files = [new LayerFile("etc/nsswitch.conf", () => new MemoryStream("hosts: files dns\n"u8.ToArray()))];
        foreach (var line in (await Command.RunAsync("ldd", Binary)).Split('\n'))
        {
            var words = line.Split(' ', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            if (words.FirstOrDefault(word => word.StartsWith('/')) is { } library)
                files.Add(new LayerFile(library.TrimStart('/'), () => File.OpenRead(library), IsExecutable: true));
        }
        return files;
    }

    /// <summary>Bytes that no compression shortens; always the same.</summary>
    private static byte[] Noise(int length)
    {
        var noise = new byte[length];
        new Random(length).NextBytes(noise);
        return noise;
    }
}
