using System.Runtime.InteropServices;
using EdgeFirmware.Contracts.Resources;

namespace EdgeFirmware.Platform.Resources;

/// <summary>Reads what the machine is, once at start.</summary>
public static class MachineProbe
{
    private const string Unknown = "unknown";

    /// <param name="root">What stands for <c>/</c>.</param>
    public static MachineDescription Describe(string root = "/")
    {
        root = root.TrimEnd('/');
        var buffer = new byte[8 << 10];
        using var memory = new MachineMemory(root);
        using var cpu = new MachineCpu(root);
        return new MachineDescription(
            EngineWord(RuntimeInformation.ProcessArchitecture),
            Environment.SystemPageSize,
            (int)cpu.Read(buffer).Cores,
            memory.Read(buffer).Bytes,
            FirstLine($"{root}/proc/sys/kernel/osrelease") ?? Unknown,
            OperatingSystem($"{root}/etc/os-release", $"{root}/usr/lib/os-release"),
            // Boards have a device tree, PCs have DMI.
            FirstLine($"{root}/proc/device-tree/model") ?? FirstLine($"{root}/sys/class/dmi/id/product_name") ?? Unknown);
    }

    internal static string EngineWord(Architecture architecture) => architecture switch
    {
        Architecture.X64 => "amd64",
        Architecture.X86 => "386",
        Architecture.Arm or Architecture.Armv6 => "arm",
        Architecture.Arm64 => "arm64",
        _ => architecture.ToString().ToLowerInvariant(),
    };

    /// <summary><c>PRETTY_NAME</c> of os-release(5); values may be quoted as in a shell.</summary>
    internal static string? PrettyName(string osRelease)
    {
        foreach (var line in osRelease.Split('\n'))
            if (line.StartsWith("PRETTY_NAME=", StringComparison.Ordinal))
                return line["PRETTY_NAME=".Length..].Trim().Trim('"', '\'') is { Length: > 0 } name ? name : null;
        return null;
    }

    private static string OperatingSystem(params ReadOnlySpan<string> files)
    {
        foreach (var file in files)
            if (PrettyName(TextFile.Read(file)) is { } name)
                return name;
        return Unknown;
    }

    /// <summary>The device tree ends its texts with NUL.</summary>
    private static string? FirstLine(string path) =>
        TextFile.Read(path).Split('\n', '\0')[0].Trim() is { Length: > 0 } line ? line : null;
}
