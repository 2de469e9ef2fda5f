using EdgeFirmware.Contracts.Messaging;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Workloads.Custody;
using EdgeFirmware.Workloads.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeFirmware.Workloads.Tests.Custody;

public sealed class InletTests
{
    private readonly ManualBroker _broker = new();
    private readonly List<string> _published = [];

    [Fact]
    public async Task A_full_inlet_holds_the_acknowledgement_until_there_is_room()
    {
        using var inlet = Open(bytesMax: 300);
        inlet.RouteTo(new InletRoute(Samples.Node(1), 1, Run()));
        var released = 0;
        for (var i = 0; i < 3; i++)
            Take(inlet, Samples.Message(52, 1), () => throw new InvalidOperationException("there is room"));
        Take(inlet, Samples.Message(52, 1), () => () => released++);
        Assert.Equal(4, inlet.Backlog.Messages); // taken all the same: the broker has it off the wire
        (await _broker.NextAsync()).Settle(true);
        Assert.Equal(0, released);
        (await _broker.NextAsync()).Settle(true);
        Assert.Equal(1, released);
    }

    [Fact]
    public void At_QoS_0_a_full_inlet_drops_and_counts()
    {
        using var inlet = Open(bytesMax: 100);
        for (var i = 0; i < 5; i++)
            Take(inlet, Samples.Message(52, 0), null);
        Assert.Equal(new InletBacklog(1, 120, 4), inlet.Backlog);
    }

    [Fact]
    public async Task Disposal_ends_it_wherever_it_is_and_releases_senders()
    {
        foreach (var route in new[] { null, new InletRoute(Samples.Node(1), 1, Run()), new InletRoute(Samples.Node(9), 1, null) })
        {
            var released = 0;
            var inlet = Open(bytesMax: 1);
            inlet.RouteTo(route);
            Take(inlet, Samples.Message("1"), null);
            Take(inlet, Samples.Message("2"), () => () => released++);
            inlet.Dispose();
            await inlet.Completion.Patiently();
            Assert.Equal(1, released);
            Take(inlet, Samples.Message("3"), () => throw new InvalidOperationException("nobody would release it"));
        }
    }

    [Fact]
    public async Task An_answer_that_comes_after_disposal_is_not_published()
    {
        var inlet = Open(bytesMax: 1000);
        inlet.RouteTo(new InletRoute(Samples.Node(1), 1, Run()));
        Take(inlet, Samples.Message("1"), null);
        var delivery = await _broker.NextAsync();
        inlet.Dispose();
        delivery.Settle(true);
        await inlet.Completion.Patiently();
        Assert.Empty(_published);
    }

    [Fact]
    public async Task A_bug_faults_the_desk_so_that_the_node_can_end()
    {
        using var desk = new CustodyDesk(
            Samples.Node(1), _broker, static (_, _) => true, new BuggyNetwork(), TimeProvider.System, NullLogger.Instance);
        desk.RecordsAre([Samples.Record(Samples.Node(2), 1)]);
        desk.OnPublish(null, Samples.Message("1"), null);
        await Assert.ThrowsAsync<NotSupportedException>(() => desk.Completion.Patiently());
    }

    private sealed class BuggyNetwork : IPeerNetwork
    {
        public Task<IPeerConversation> OpenAsync(Contracts.NodeId peer, ConversationKind kind, CancellationToken cancel) => throw new NotSupportedException("a bug");
    }

    private void Take(Inlet inlet, SensorMessage message, Func<Action>? hold) => _broker.InOneStep(() => inlet.Take(message, hold), null);

    private Inlet Open(long bytesMax) => new(
        Samples.Workload, bytesMax, _broker, new PairedNetwork().Of(Samples.Node(1)), message => _published.Add(Samples.Text(message)), new HastyTime(), NullLogger.Instance);

    private Outlet Run()
    {
        var outlet = new Outlet(Samples.Workload, 1, "demo-conv", ["in/#"], _broker);
        outlet.Attach(1);
        return outlet;
    }
}
