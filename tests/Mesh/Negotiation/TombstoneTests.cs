using EdgeFirmware.Contracts;
using EdgeFirmware.Mesh.Negotiation;

namespace EdgeFirmware.Mesh.Tests.Negotiation;

public sealed class TombstoneTests
{
    private const int CountMax = 4096;

    [Fact]
    public void A_site_that_has_removed_thousands_of_workloads_still_takes_new_ones_and_forgets_the_oldest_removal()
    {
        var site = new SimulatedSite(2);
        site.Run(1);
        for (var i = 0; i < CountMax; i++)
            site[1].Hear(new Records([Removed(i)], WantsReply: false), site[2].Id);
        Assert.Equal(CountMax, site[1].Core!.KnownRecords.Count);
        Assert.Equal("", site.Await(site[1], site[1].Deploy()).Fault);
        Assert.Equal(CountMax, site[1].Core!.KnownRecords.Count);
        Assert.DoesNotContain(site[1].Core!.KnownRecords, record => record.Id == Removed(0).Id);
        Assert.True(site.RunUntil(() => site[1].Disk.ContainsKey(Removed(CountMax - 1).Id) && !site[1].Disk.ContainsKey(Removed(0).Id)));
    }

    [Fact]
    public void A_tombstone_that_was_forgotten_does_not_come_back_in_the_place_of_another()
    {
        var site = new SimulatedSite(2);
        site.Run(1);
        for (var i = 1; i <= CountMax; i++)
            site[1].Hear(new Records([Removed(i)], WantsReply: false), site[2].Id);
        site[1].Hear(new Records([Removed(0)], WantsReply: false), site[2].Id);
        Assert.DoesNotContain(site[1].Core!.KnownRecords, record => record.Id == Removed(0).Id);
        Assert.Contains(site[1].Core!.KnownRecords, record => record.Id == Removed(1).Id);
    }

    private static WorkloadRecord Removed(int number) =>
        new(Samples.Workload($"w{number}"), 1_000_000_001, 0, Samples.Node(2), Samples.Node(2), WorkloadState.Removed, null, "asked");
}
