using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Messaging;
using EdgeFirmware.Workloads.Custody;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeFirmware.Workloads.Tests.Support;

/// <summary>One node's custody desk with its manual broker, joined to the others by the paired network.</summary>
internal sealed class DeskNode : IDisposable
{
    private readonly PairedNetwork _network;

    public DeskNode(PairedNetwork network, int number, ManualBroker? broker = null)
    {
        _network = network;
        Id = Samples.Node(number);
        Broker = broker ?? new ManualBroker();
        Desk = MakeDesk();
        Plug();
    }

    public NodeId Id { get; }

    public ManualBroker Broker { get; }

    public CustodyDesk Desk { get; private set; }

    public int Waiting => Desk.Backlogs.GetValueOrDefault(Samples.Workload).Messages;

    public void Plug() => _network.Serve(Id, Desk.ServeAsync);

    /// <summary>A copy starts here and subscribes to its inputs.</summary>
    public Outlet Run(long epoch, byte qos = 1)
    {
        var outlet = new Outlet(Samples.Workload, epoch, Samples.Workload.Value, Samples.Spec.Inputs, Broker);
        Desk.Open(outlet);
        Assert.True(Desk.OnSubscribe(Samples.Workload, outlet.ClientId, "in/#", qos));
        return outlet;
    }

    /// <summary>A sensor publishes.</summary>
    public void Hear(params string[] texts)
    {
        foreach (var text in texts)
            Hear(Samples.Message(text));
    }

    public void Hear(SensorMessage message) => Assert.Equal(CustodyVerdict.Route, Desk.OnPublish(null, message, null));

    /// <summary>The node dies and starts again with what is on its disk. No copy may be running here.</summary>
    /// <returns>What was not on disk, and is sent again by whoever sent it.</returns>
    public IReadOnlyList<SensorMessage> LosePower(params WorkloadRecord[] records)
    {
        _network.Unplug(Id);
        Desk.Dispose();
        var lost = Broker.LosePower();
        Desk = MakeDesk();
        Plug();
        Desk.RecordsAre(records);
        return lost;
    }

    /// <summary>The copy publishes.</summary>
    /// <returns>Whether it reaches subscribers at once.</returns>
    public bool Say(string text) => Desk.OnPublish(Samples.Workload, Samples.Message(text, "out"), null) == CustodyVerdict.Route;

    /// <summary>The copy takes the next message, publishes its results and acknowledges.</summary>
    public async Task ProcessAsync(string expected, params string[] results)
    {
        var delivery = await Broker.NextAsync();
        Assert.Equal(expected, delivery.Text);
        foreach (var result in results)
            Assert.False(Say(result));
        delivery.Settle(true);
    }

    public Task PublishedAsync(params string[] expected) => Within.UntilAsync(
        () => Broker.Published.Count >= expected.Length && Broker.Published.SequenceEqual(expected), () => $"published: {string.Join(' ', Broker.Published)}");

    public void Dispose() => Desk.Dispose();

    private CustodyDesk MakeDesk() => new(Id, Broker, Matches, _network.Of(Id), new HastyTime(), NullLogger.Instance);

    private static bool Matches(string filter, string topic) =>
        filter == topic || (filter.EndsWith("/#", StringComparison.Ordinal) && topic.StartsWith(filter[..^1], StringComparison.Ordinal));
}
