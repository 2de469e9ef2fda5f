using EdgeFirmware.Contracts;
using EdgeFirmware.Firmware.Users;

namespace EdgeFirmware.Firmware.Tests.Users;

public sealed class WorkloadAllowanceTests
{
    private readonly StoredUsers _users = new()
    {
        Tenants =
        [
            new StoredTenant("acme") { Workloads = new WorkloadQuotas { Workloads = 3, CpuCores = 2, MemoryBytes = 256L << 20 } },
            new StoredTenant(WorkloadAllowance.DefaultTenant) { Workloads = new WorkloadQuotas { Workloads = 1 } },
        ],
        Users =
        [
            new StoredUser("ana") { Tenant = "acme", Workloads = new WorkloadQuotas { Workloads = 2 } }, new StoredUser("bob") { Tenant = "acme" }, new StoredUser("eve"),
        ],
    };

    [Theory]
    [InlineData("bob", 0.1, "")]
    [InlineData("bob", 1.95, "tenant 'acme' may use 2 cores; with this one it would be 2.05")]
    [InlineData("eve", 100, "")]
    [InlineData("nobody", 100, "")]
    public void Tenants_share_what_they_may_use_and_others_have_the_default(string user, double cores, string why) =>
        Assert.Equal(why, new WorkloadAllowance(() => _users).Begin(Spec(user, "new", cores), [Spec("ana", "old", 0.1)]));

    [Fact]
    public void The_user_s_own_bound_holds_besides()
    {
        var allowance = new WorkloadAllowance(() => _users);
        Assert.Equal(
            "user 'ana' may have 2 workloads and has them", allowance.Begin(Spec("ana", "c", 0.1), [Spec("ana", "a", 0.1), Spec("ana", "b", 0.1)]));
        Assert.Equal("tenant 'default' may have 1 workloads and has them", allowance.Begin(Spec("eve", "b", 0.1), [Spec("nobody", "a", 0.1)]));
    }

    [Fact]
    public void What_is_being_deployed_counts_until_it_has_ended()
    {
        var allowance = new WorkloadAllowance(() => _users);
        var first = Spec("eve", "a", 0.1);
        Assert.Equal("", allowance.Begin(first, []));
        Assert.NotEqual("", allowance.Begin(Spec("eve", "b", 0.1), []));
        allowance.End(first);
        Assert.Equal("", allowance.Begin(Spec("eve", "b", 0.1), []));
    }

    [Fact]
    public void Memory_without_a_limit_counts_as_placement_assumes() =>
        Assert.Equal(
            "tenant 'acme' may use 256 MiB of memory; with this one it would be 264",
            new WorkloadAllowance(() => _users).Begin(Spec("bob", "new", 0.1) with { MemoryBytesMax = 200L << 20 }, [Spec("ana", "old", 0.1)]));

    private static WorkloadSpec Spec(string user, string name, double cores) => new() { User = user, Name = name, Image = "i:1", CpuCores = cores };
}
