namespace EdgeFirmware.Lab.Sites;

/// <summary>What the lab needs of the machine.</summary>
public static class Requirements
{
    private static readonly string[] Programs =
        ["dockerd", "containerd", "runc", "mosquitto_pub", "mosquitto_sub", "ip", "iptables", "nsenter", "unshare", "setsid", "stdbuf", "ldd"];

    /// <returns>Why the lab cannot be built here; <c>null</c> when it can.</returns>
    public static string? Missing()
    {
        if (Environment.UserName != "root")
            return "network namespaces, cgroups and engines need root";
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/sbin").Append("/sbin").ToList();
        var missing = Programs.Where(program => !path.Any(directory => File.Exists(Path.Combine(directory, program)))).ToList();
        return missing.Count == 0 ? null : $"missing: {string.Join(", ", missing)}; run ./setup.sh";
    }
}
