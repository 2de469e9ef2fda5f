namespace EdgeFirmware.Platform.Resources;

/// <summary>Finds the cgroups that bound this process. Allocates; called now and then, not for every reading.</summary>
/// <param name="root">What stands for <c>/</c>, without a slash at its end.</param>
internal sealed class CgroupSearch(string root)
{
    private readonly byte[] _buffer = new byte[256];

    /// <returns>The nearest cgroup with a CPU quota, or <c>null</c>.</returns>
    public CpuQuotaPlace? CpuQuota()
    {
        var (mountinfo, membership) = Texts();
        if (CgroupChain.Find(mountinfo, membership, "cpu") is not { } chain)
            return null;
        foreach (var directory in chain.Directories)
        {
            if (Quota(root + directory, chain.IsV2) <= 0)
                continue;
            return new CpuQuotaPlace(chain.IsV2, root + directory, chain.IsV2 ? "" : Accounting(mountinfo, membership, chain, directory));
        }
        return null;
    }

    /// <param name="machineBytes">A limit above it is none; v1 writes "none" as a number of that kind.</param>
    /// <returns>The nearest cgroup with a memory limit, or <c>null</c>.</returns>
    public MemoryLimitPlace? MemoryLimit(long machineBytes)
    {
        var (mountinfo, membership) = Texts();
        if (CgroupChain.Find(mountinfo, membership, "memory") is not { } chain)
            return null;
        foreach (var directory in chain.Directories)
            if (Number(root + directory + (chain.IsV2 ? "/memory.max" : "/memory.limit_in_bytes")) is > 0 and var limit && limit < machineBytes)
                return new MemoryLimitPlace(chain.IsV2, root + directory);
        return null;
    }

    /// <summary>v1 may have <c>cpuacct</c> in a hierarchy of its own. Its cgroup of the same name counts the same processes, if it is ours.</summary>
    private string Accounting(string mountinfo, string membership, CgroupChain cpu, string directory)
    {
        if (CgroupChain.Find(mountinfo, membership, "cpuacct") is not { IsV2: false } accounting)
            return "";
        var fromTop = cpu.Directories.Count - IndexOf(cpu.Directories, directory);
        var same = accounting.Directories.Count - fromTop;
        var tail = directory[cpu.Directories[^1].Length..];
        return same >= 0 && accounting.Directories[same].EndsWith(tail, StringComparison.Ordinal) ? root + accounting.Directories[same] : "";
    }

    private double Quota(string directory, bool isV2)
    {
        if (!isV2)
            return KernelText.Cores(Number(directory + "/cpu.cfs_quota_us"), Number(directory + "/cpu.cfs_period_us"));
        using var file = new KernelFile(directory + "/cpu.max");
        return KernelText.CpuMax(file.Read(_buffer));
    }

    private long Number(string path)
    {
        using var file = new KernelFile(path);
        return KernelText.Number(file.Read(_buffer));
    }

    private (string Mountinfo, string Membership) Texts()
    {
        try
        {
            return (File.ReadAllText($"{root}/proc/self/mountinfo"), File.ReadAllText($"{root}/proc/self/cgroup"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A kernel without cgroups.
            return ("", "");
        }
    }

    private static int IndexOf(IReadOnlyList<string> list, string item)
    {
        for (var i = 0; i < list.Count; i++)
            if (list[i] == item)
                return i;
        return -1;
    }
}
