using EdgeFirmware.Platform.Resources;

namespace EdgeFirmware.Platform.Tests.Resources;

public sealed class CgroupChainTests
{
    // Captured: Debian 12, unified.
    private const string UnifiedMounts = """
        24 31 0:22 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
        35 24 0:29 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot
        """;

    // Captured: hybrid, controllers in v1, cpu and cpuacct apart.
    private const string HybridMounts = """
        31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
        32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
        33 31 0:30 / /sys/fs/cgroup/cpuacct rw,relatime - cgroup cgroup rw,cpuacct
        35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
        41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
        """;

    private const string HybridMembership = "4:memory:/process_api/57c8\n2:cpuacct:/\n1:cpu:/\n0::/\n";

    // Captured: inside a Docker 20.10 container on cgroup v1 (the mount's root is the container's cgroup).
    private const string ContainerMounts = """
        601 600 0:29 /docker/4f1d /sys/fs/cgroup/cpu,cpuacct ro,nosuid,nodev,noexec,relatime - cgroup cgroup rw,cpu,cpuacct
        602 600 0:32 /docker/4f1d /sys/fs/cgroup/memory ro,nosuid,nodev,noexec,relatime - cgroup cgroup rw,memory
        """;

    [Fact]
    public void Under_systemd_the_chain_goes_from_the_service_to_the_mount()
    {
        var chain = CgroupChain.Find(UnifiedMounts, "0::/system.slice/edge.slice/edge-firmware.service\n", "cpu");
        Assert.True(chain!.IsV2);
        Assert.Equal(
            [
                "/sys/fs/cgroup/system.slice/edge.slice/edge-firmware.service", "/sys/fs/cgroup/system.slice/edge.slice",
                "/sys/fs/cgroup/system.slice", "/sys/fs/cgroup",
            ],
            chain.Directories);
    }

    [Fact]
    public void On_a_hybrid_system_each_controller_has_its_own_place()
    {
        var memory = CgroupChain.Find(HybridMounts, HybridMembership, "memory");
        Assert.False(memory!.IsV2);
        Assert.Equal(
            ["/sys/fs/cgroup/memory/process_api/57c8", "/sys/fs/cgroup/memory/process_api", "/sys/fs/cgroup/memory"], memory.Directories);
        Assert.Equal(["/sys/fs/cgroup/cpu"], CgroupChain.Find(HybridMounts, HybridMembership, "cpu")!.Directories);
        Assert.Equal(["/sys/fs/cgroup/cpuacct"], CgroupChain.Find(HybridMounts, HybridMembership, "cpuacct")!.Directories);
    }

    [Fact]
    public void A_controller_that_v1_does_not_have_is_looked_for_in_v2()
    {
        var chain = CgroupChain.Find(HybridMounts, "0::/a\n", "cpu");
        Assert.True(chain!.IsV2);
        Assert.Equal(["/sys/fs/cgroup/unified/a", "/sys/fs/cgroup/unified"], chain.Directories);
    }

    [Theory]
    // Told from the host's root, from deeper, from the container's own root, and from outside.
    [InlineData("3:cpu,cpuacct:/docker/4f1d\n", "/sys/fs/cgroup/cpu,cpuacct")]
    [InlineData("3:cpu,cpuacct:/docker/4f1d/inner\n", "/sys/fs/cgroup/cpu,cpuacct/inner")]
    [InlineData("3:cpu,cpuacct:/\n", "/sys/fs/cgroup/cpu,cpuacct")]
    [InlineData("3:cpu,cpuacct:/docker/4f1d0\n", "/sys/fs/cgroup/cpu,cpuacct")]
    [InlineData("3:cpu,cpuacct:/docker/4f1d/../other\n", "/sys/fs/cgroup/cpu,cpuacct")]
    public void In_a_container_paths_are_below_the_mounts_root(string membership, string nearest) =>
        Assert.Equal(nearest, CgroupChain.Find(ContainerMounts, membership, "cpu")!.Directories[0]);

    [Fact]
    public void With_a_namespace_of_its_own_a_container_sees_its_cgroup_as_the_root()
    {
        const string mounts = "612 611 0:29 / /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw,nsdelegate\n";
        Assert.Equal(["/sys/fs/cgroup"], CgroupChain.Find(mounts, "0::/\n", "memory")!.Directories);
        Assert.Equal(["/sys/fs/cgroup"], CgroupChain.Find(mounts, "0::/../../outside\n", "memory")!.Directories);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("garbage\n - \n1 2 3 - cgroup\n", "0::/a\n")]
    [InlineData("35 24 0:29 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "garbage\n1:cpu\n:::\n")]
    public void Without_a_hierarchy_there_is_no_chain(string mounts, string membership) =>
        Assert.Null(CgroupChain.Find(mounts, membership, "cpu"));
}
