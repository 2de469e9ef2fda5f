using EdgeFirmware.Contracts;
using EdgeFirmware.Mesh.Negotiation;

namespace EdgeFirmware.Mesh.Tests.Negotiation;

public sealed class WorkloadRegisterTests
{
    [Fact]
    public void The_hash_depends_on_what_is_known_and_not_on_how_it_came()
    {
        var here = With(Record("a", 1), Record("a", 2), Record("b", 5));
        var there = With(Record("b", 4), Record("b", 5), Record("a", 2));
        Assert.Equal(here.Hash, there.Hash);
        Assert.NotEqual(here.Hash, With(Record("a", 2), Record("b", 4)).Hash);
        Assert.NotEqual(here.Hash, With(Record("a", 2), Record("b", 5) with { Owner = Samples.Node(3) }).Hash);
        Assert.NotEqual(here.Hash, With(Record("a", 2), Record("b", 5) with { Revision = 1 }).Hash);
        Assert.NotEqual(here.Hash, With(Record("a", 2)).Hash);
    }

    [Fact]
    public void Tombstones_do_not_count_so_that_nodes_may_forget_them_when_they_like()
    {
        var removed = Record("a", 1_000_000_001) with { State = WorkloadState.Removed };
        Assert.Equal(With(Record("b", 1)).Hash, With(Record("a", 1), removed, Record("b", 1)).Hash);
        Assert.Equal(0u, With(removed).Hash);
    }

    private static WorkloadRegister With(params WorkloadRecord[] records)
    {
        var register = new WorkloadRegister(Samples.Node(1));
        foreach (var record in records)
            register.Set(record);
        return register;
    }

    private static WorkloadRecord Record(string name, long epoch) =>
        new(Samples.Workload(name), epoch, 0, Samples.Node(2), Samples.Node(2), WorkloadState.Running, null, "");
}
