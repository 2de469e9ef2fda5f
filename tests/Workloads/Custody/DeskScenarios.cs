using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Workloads.Custody;
using EdgeFirmware.Workloads.Tests.Support;

namespace EdgeFirmware.Workloads.Tests.Custody;

/// <summary>Two or three nodes, one workload: what reaches it, and what becomes of what it says.</summary>
public sealed class DeskScenarios : IDisposable
{
    private readonly PairedNetwork _network = new();
    private readonly DeskNode _a;
    private readonly DeskNode _b;
    private readonly DeskNode _c;

    public DeskScenarios()
    {
        _a = new DeskNode(_network, 1);
        _b = new DeskNode(_network, 2);
        _c = new DeskNode(_network, 3);
    }

    public void Dispose()
    {
        foreach (var node in new[] { _a, _b, _c })
        {
            Assert.False(node.Desk.Completion.IsFaulted, node.Desk.Completion.Exception?.ToString());
            node.Dispose();
        }
        Assert.Empty(_network.Bugs);
    }

    [Fact]
    public async Task A_copy_on_the_same_node_gets_each_message_and_its_results_come_out_in_order()
    {
        OwnerIs(_a, 1);
        _a.Run(1);
        _a.Hear("1", "2");
        await _a.ProcessAsync("1", "r1a", "r1b");
        await _a.ProcessAsync("2", "r2");
        await _a.PublishedAsync("r1a", "r1b", "r2");
        await Within.UntilAsync(() => _a.Waiting == 0);
    }

    [Fact]
    public async Task Results_of_a_remote_copy_come_out_on_both_nodes()
    {
        OwnerIs(_b, 1);
        _b.Run(1);
        _a.Hear("1");
        await _b.ProcessAsync("1", "r1");
        await _a.PublishedAsync("r1");
        await _b.PublishedAsync("r1");
    }

    [Fact]
    public async Task A_planned_move_loses_and_repeats_nothing()
    {
        OwnerIs(_a, 1);
        var old = _a.Run(1);
        _a.Hear("1", "2", "3");
        await _a.ProcessAsync("1", "r1");
        var inHand = await _a.Broker.NextAsync();
        var idle = old.PauseAsync();
        _a.Say("r2");
        inHand.Settle(true);
        await idle.Patiently();
        OwnerIs(_a, 1, WorkloadState.HandingOver);
        _a.Desk.Close(old);
        _a.Hear("4");
        _b.Run(2);
        OwnerIs(_b, 2);
        await _b.ProcessAsync("3", "r3");
        await _b.ProcessAsync("4", "r4");
        await _a.PublishedAsync("r1", "r2", "r3", "r4");
        await _b.PublishedAsync("r3", "r4");
    }

    [Fact]
    public async Task A_third_node_s_sensor_follows_the_move()
    {
        OwnerIs(_a, 1);
        var old = _a.Run(1);
        _c.Hear("1");
        await _a.ProcessAsync("1", "r1");
        await old.PauseAsync().Patiently();
        _a.Desk.Close(old);
        _b.Run(2);
        OwnerIs(_b, 2);
        _c.Hear("2");
        await _b.ProcessAsync("2", "r2");
        await _c.PublishedAsync("r1", "r2");
    }

    [Fact]
    public async Task An_owner_that_dies_before_its_answer_arrives_leaves_the_message_to_the_next()
    {
        OwnerIs(_b, 1);
        _b.Run(1);
        _network.Judge = (_, _, type) => type == (byte)CustodyFrame.Processed ? Fate.CutBefore : Fate.Pass;
        _a.Hear("1", "2");
        await _b.ProcessAsync("1", "lost");
        _network.Unplug(_b.Id);
        _network.Judge = (_, _, _) => Fate.Pass;
        Assert.Empty(_a.Broker.Published);
        _c.Run(2);
        OwnerIs(_c, 2);
        await _c.ProcessAsync("1", "r1");
        await _c.ProcessAsync("2", "r2");
        await _a.PublishedAsync("r1", "r2");
    }

    [Theory]
    [InlineData((byte)CustodyFrame.Processed, (int)Fate.CutBefore)]
    [InlineData((byte)CustodyFrame.Processed, (int)Fate.CutAfter)]
    [InlineData((byte)CustodyFrame.Committed, (int)Fate.CutBefore)]
    [InlineData((byte)CustodyFrame.Committed, (int)Fate.CutAfter)]
    [InlineData((byte)CustodyFrame.Input, (int)Fate.CutBefore)]
    [InlineData((byte)CustodyFrame.Input, (int)Fate.CutAfter)]
    [InlineData((byte)CustodyFrame.Open, (int)Fate.CutBefore)]
    [InlineData((byte)CustodyFrame.Ready, (int)Fate.CutBefore)]
    public async Task A_connection_cut_at_any_frame_gives_nothing_to_the_copy_twice(byte type, int fate)
    {
        var cuts = 0;
        _network.Judge = (_, _, sent) => sent == type && Interlocked.Increment(ref cuts) is 1 or 3 ? (Fate)fate : Fate.Pass;
        OwnerIs(_b, 1);
        var outlet = _b.Run(1);
        _a.Hear("1", "2", "3");
        await _b.ProcessAsync("1", "r1");
        await _b.ProcessAsync("2", "r2");
        await _b.ProcessAsync("3", "r3");
        await _a.PublishedAsync("r1", "r2", "r3");
        _a.Hear("4"); // opens again where the last confirmation was lost with nothing left to send
        await _b.ProcessAsync("4", "r4");
        await _a.PublishedAsync("r1", "r2", "r3", "r4");
        _network.Judge = (_, _, _) => Fate.Pass;
        await Within.UntilAsync(() => _b.Broker.Published.Count >= 3);
        Assert.Equal(4, _b.Broker.Delivered);
        Assert.Equal(_b.Broker.Published.Order(), _b.Broker.Published);
        _ = outlet;
    }

    [Fact]
    public async Task After_a_lost_confirmation_a_move_does_not_wait_once_the_inlet_is_back()
    {
        var cuts = 0;
        _network.Judge = (_, _, sent) => sent == (byte)CustodyFrame.Committed && Interlocked.Increment(ref cuts) == 1 ? Fate.CutBefore : Fate.Pass;
        OwnerIs(_b, 1);
        var outlet = _b.Run(1);
        _a.Hear("1");
        await _b.ProcessAsync("1", "r1");
        await _a.PublishedAsync("r1");
        _a.Hear("2");
        await _b.ProcessAsync("2", "r2");
        await outlet.PauseAsync().Patiently();
        await _b.PublishedAsync("r1", "r2");
    }

    [Fact]
    public async Task What_a_fenced_copy_says_counts_no_more()
    {
        OwnerIs(_a, 1);
        var outlet = _a.Run(1);
        _a.Hear("1");
        var delivery = await _a.Broker.NextAsync();
        _a.Say("half");
        _a.Desk.Close(outlet);
        Assert.False(_a.Say("from the grave"));
        delivery.Settle(true);
        Assert.Empty(_a.Broker.Published);
        Assert.Equal(1, _a.Waiting);
    }

    [Fact]
    public async Task An_answer_of_an_owner_that_is_no_more_counts_for_nothing()
    {
        OwnerIs(_b, 1);
        _b.Run(1);
        _a.Hear("1");
        var delivery = await _b.Broker.NextAsync();
        _b.Say("stale");
        OwnerIs(_c, 2, on: [_a, _c]); // B is cut off from the news
        delivery.Settle(true);
        _c.Run(2);
        await _c.ProcessAsync("1", "r1");
        await _a.PublishedAsync("r1");
    }

    [Fact]
    public async Task A_copy_that_reconnects_gets_the_message_in_hand_again_and_its_half_results_are_forgotten()
    {
        OwnerIs(_a, 1);
        _a.Run(1);
        _a.Hear("1");
        var delivery = await _a.Broker.NextAsync();
        _a.Say("half");
        _a.Desk.OnDisconnected(Samples.Workload, Samples.Workload.Value);
        delivery.Settle(false); // its session was clean
        Assert.True(_a.Desk.OnSubscribe(Samples.Workload, Samples.Workload.Value, "in/#", 1));
        await _a.ProcessAsync("1", "r1");
        await _a.PublishedAsync("r1");
    }

    [Fact]
    public async Task Messages_wait_while_nobody_runs_the_workload()
    {
        OwnerIs(_b, 1, WorkloadState.HandingOver);
        _a.Hear("1");
        Assert.Equal(0, _network.Opened);
        OwnerIs(_c, 2);
        await Within.UntilAsync(() => _network.Faults.Count + _network.Opened > 1); // C is not ready: rejected, backing off
        OwnerIs(_b, 3);
        _b.Run(3);
        await _b.ProcessAsync("1", "r1");
        await _a.PublishedAsync("r1");
    }

    [Fact]
    public async Task A_route_that_changes_while_messages_are_on_their_way_sends_them_to_the_new_owner()
    {
        OwnerIs(_b, 1);
        _b.Run(1);
        _a.Hear(Enumerable.Range(1, 100).Select(i => $"{i:000}").ToArray());
        await _b.ProcessAsync("001", "r001");
        await _a.PublishedAsync("r001");
        OwnerIs(_c, 2);
        _c.Run(2);
        for (var i = 2; i <= 100; i++)
            await _c.ProcessAsync($"{i:000}", $"r{i:000}");
        await _a.PublishedAsync(Enumerable.Range(1, 100).Select(i => $"r{i:000}").ToArray());
    }

    [Fact]
    public async Task An_owner_that_cannot_be_reached_is_tried_again_until_it_can()
    {
        _network.Unplug(_b.Id);
        OwnerIs(_b, 1);
        _b.Run(1);
        _a.Hear("1");
        await Task.Yield();
        _b.Plug();
        await _b.ProcessAsync("1", "r1");
        await _a.PublishedAsync("r1");
    }

    [Fact]
    public async Task A_removed_workload_lets_go_of_its_messages_and_senders()
    {
        OwnerIs(_b, 1, WorkloadState.HandingOver);
        var payload = new string('x', 1 << 20);
        for (var i = 0; i < 70; i++)
            _a.Hear(payload);
        var released = 0;
        Assert.Equal(CustodyVerdict.Route, _a.Desk.OnPublish(null, Samples.Message("held"), () => () => released++));
        Assert.Equal(0, released);
        OwnerIs(_b, 1, WorkloadState.Removed);
        Assert.Equal(1, released);
        Assert.Empty(_a.Desk.Backlogs);
        await Task.Yield();
    }

    [Fact]
    public async Task A_result_that_is_another_workload_s_input_is_taken_into_custody()
    {
        var next = Samples.Record(_a.Id, 1, WorkloadState.HandingOver, Samples.Spec with { Name = "next", Inputs = ["out"] });
        _a.Desk.RecordsAre([Samples.Record(_a.Id, 1), next]);
        _a.Run(1);
        _a.Hear("1");
        await _a.ProcessAsync("1", "r1");
        await Within.UntilAsync(() => _a.Desk.Backlogs[next.Id].Messages == 1);
    }

    [Fact]
    public async Task A_peer_that_asks_for_a_workload_that_does_not_run_here_is_told_so()
    {
        await using var conversation = await _network.Of(_a.Id).OpenAsync(_b.Id, ConversationKind.Custody, CancellationToken.None);
        await SendOpenAsync(conversation, epoch: 5);
        var answer = await conversation.ReceiveAsync(CancellationToken.None).AsTask().Patiently();
        Assert.Equal((byte)CustodyFrame.Reject, answer!.Value.Type);
        Assert.Contains("does not run here at epoch 5", new CustodyReader(answer.Value.Body.Span).Text(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(4, "00")]
    [InlineData(6, "00")]
    [InlineData(99, "")]
    public async Task A_peer_that_breaks_the_protocol_loses_its_conversation_and_nothing_else(byte type, string hex)
    {
        OwnerIs(_b, 1);
        _b.Run(1);
        await using var conversation = await _network.Of(_c.Id).OpenAsync(_b.Id, ConversationKind.Custody, CancellationToken.None);
        await SendOpenAsync(conversation, epoch: 1);
        await conversation.SendAsync(type, Convert.FromHexString(hex), CancellationToken.None);
        await Within.UntilAsync(() => !_network.Faults.IsEmpty);
        _a.Hear("1");
        await _b.ProcessAsync("1", "r1");
        await _a.PublishedAsync("r1");
    }

    private static async Task SendOpenAsync(IPeerConversation conversation, long epoch) =>
        await conversation.SendAsync(
            (byte)CustodyFrame.Open, new CustodyWriter().Begin().Text(Samples.Workload.Value).Int64(epoch).Guid(Guid.NewGuid()).Int64(1).Written, CancellationToken.None);

    private void OwnerIs(DeskNode owner, long epoch, WorkloadState state = WorkloadState.Running, DeskNode[]? on = null)
    {
        foreach (var node in on ?? [_a, _b, _c])
            node.Desk.RecordsAre([Samples.Record(owner.Id, epoch, state)]);
    }
}
