using EdgeFirmware.Contracts;
using EdgeFirmware.Workloads.Custody;
using EdgeFirmware.Workloads.Tests.Support;

namespace EdgeFirmware.Workloads.Tests.Custody;

/// <summary>The node that hears (a) dies and starts again; the copy runs on another (b).</summary>
public sealed class PowerCutScenarios : IDisposable
{
    private readonly PairedNetwork _network = new();
    private readonly DeskNode _a;
    private readonly DeskNode _b;
    private readonly WorkloadRecord _record;
    private readonly Outlet _copy;

    public PowerCutScenarios()
    {
        _a = new DeskNode(_network, 1);
        _b = new DeskNode(_network, 2);
        _record = Samples.Record(_b.Id, 1);
        _copy = _b.Run(1);
        foreach (var node in new[] { _a, _b })
            node.Desk.RecordsAre([_record]);
        _a.Broker.Sync();
        _a.Broker.SyncsAtOnce = false;
    }

    public void Dispose()
    {
        _a.Dispose();
        _b.Dispose();
        Assert.Empty(_network.Bugs);
    }

    [Fact]
    public async Task What_waited_there_is_brought_to_the_copy_in_order()
    {
        _network.Unplug(_b.Id);
        _a.Hear("1", "2", "3");
        _a.Broker.Sync();
        Assert.Empty(_a.LosePower(_record));
        Assert.Equal(3, _a.Waiting);
        _a.Hear("4");
        _a.Broker.Sync();
        _b.Plug();
        foreach (var text in new[] { "1", "2", "3", "4" })
            await _b.ProcessAsync(text, $"r{text}");
        await _a.PublishedAsync("r1", "r2", "r3", "r4");
    }

    [Fact]
    public async Task What_was_committed_before_is_not_given_again_and_the_copy_s_node_hears_of_it()
    {
        _network.Judge = (_, _, frame) => (CustodyFrame)frame == CustodyFrame.Committed ? Fate.CutBefore : Fate.Pass;
        _a.Hear("1");
        _a.Broker.Sync();
        await _b.ProcessAsync("1", "r1");
        await _a.PublishedAsync("r1");
        _a.Broker.Sync();
        Assert.Empty(_b.Broker.Published);
        _network.Judge = (_, _, _) => Fate.Pass;
        _a.LosePower(_record);
        _a.Hear("2");
        _a.Broker.Sync();
        await _b.ProcessAsync("2", "r2");
        await _a.PublishedAsync("r1", "r2");
        _a.Broker.Sync();
        await _b.PublishedAsync("r1", "r2");
    }

    [Fact]
    public async Task What_is_not_on_disk_is_not_given_away()
    {
        _a.Hear("1");
        _a.Hear(Samples.Message("0", qos: 0));
        Assert.Equal(["1"], _a.LosePower(_record).Select(Samples.Text));
        _a.Hear(Samples.Message("2", qos: 0));
        _a.Hear("3");
        await _b.ProcessAsync("2", "r2"); // nothing to wait for
        _a.Broker.Sync();
        await _b.ProcessAsync("3", "r3");
        await _a.PublishedAsync("r2", "r3");
    }

    [Fact]
    public async Task The_copy_s_node_publishes_only_what_no_power_cut_can_bring_back()
    {
        _a.Hear("1");
        _a.Broker.Sync();
        await _b.ProcessAsync("1", "r1");
        await _a.PublishedAsync("r1");
        _a.LosePower(_record);
        Assert.Empty(_a.Broker.Published);
        await _a.PublishedAsync("r1"); // from the copy's node, which has not forgotten them
        Assert.Empty(_b.Broker.Published);
        _a.Broker.Sync();
        await _b.PublishedAsync("r1");
        Assert.False(_b.Broker.HasDelivery);
        await _copy.PauseAsync().Patiently();
    }

    [Fact]
    public void QoS_0_is_not_kept()
    {
        _network.Unplug(_b.Id);
        _a.Hear(Samples.Message("1", qos: 0));
        _a.Broker.Sync();
        _a.LosePower(_record);
        Assert.Equal(0, _a.Waiting);
    }

    [Fact]
    public void What_waits_for_a_removed_workload_goes_with_it_also_when_it_was_removed_while_the_node_was_away()
    {
        _network.Unplug(_b.Id);
        _a.Hear("1");
        _a.Broker.Sync();
        _a.Desk.RecordsAre([_record with { State = WorkloadState.Removed }]);
        Assert.Empty(_a.Broker.Stores);
        _a.LosePower();
        Assert.Single(_a.Broker.Stores); // a node that does not know yet keeps it
        _a.Desk.RecordsAre([_record with { State = WorkloadState.Removed }]);
        Assert.Empty(_a.Broker.Stores);
    }

    [Fact]
    public void Without_room_on_the_disk_an_input_that_must_be_kept_is_refused()
    {
        _a.Broker.IsFull = true;
        Assert.Equal(CustodyVerdict.Refused, _a.Desk.OnPublish(null, Samples.Message("1"), null));
        Assert.Equal(CustodyVerdict.Route, _a.Desk.OnPublish(null, Samples.Message("1", qos: 0), null));
        Assert.Equal(CustodyVerdict.Route, _a.Desk.OnPublish(null, Samples.Message("1", topic: "elsewhere"), null));
    }
}
