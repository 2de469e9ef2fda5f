using EdgeFirmware.Contracts;
using EdgeFirmware.Mesh.Negotiation;

namespace EdgeFirmware.Mesh.Tests.Negotiation;

/// <summary>What users do and see, in words.</summary>
internal static class Asking
{
    public static readonly WorkloadId Id = Samples.Workload().Id;

    private static int _last;

    public static Guid Ask(this SimulatedNode node, Action<NegotiationCore, Guid, Instant> command)
    {
        var operation = new Guid(Interlocked.Increment(ref _last), 0, 0, new byte[8]);
        node.Ask((core, now) => command(core, operation, now));
        return operation;
    }

    public static Guid Deploy(this SimulatedNode node, WorkloadSpec? spec = null) =>
        node.Ask((core, operation, now) => core.Deploy(operation, spec ?? Samples.Workload(), now));

    public static Guid Move(this SimulatedNode node, NodeId? to = null) =>
        node.Ask((core, operation, now) => core.Move(operation, Id, to, "asked", now));

    public static Guid Remove(this SimulatedNode node) => node.Ask((core, operation, now) => core.Remove(operation, Id, "asked", now));

    public static Answer? AnswerTo(this SimulatedNode node, Guid operation) => node.Answers.Find(answer => answer.Operation == operation);

    public static Answer Await(this SimulatedSite site, SimulatedNode node, Guid operation, double secondsMax = 70)
    {
        Assert.True(site.RunUntil(() => node.AnswerTo(operation) is not null, secondsMax), "no answer");
        return node.AnswerTo(operation)!;
    }

    /// <summary>A site where the first node runs the workload, everybody knows, and invariants are watched.</summary>
    public static SimulatedSite With(int nodes, WorkloadSpec? spec = null)
    {
        var site = new SimulatedSite(nodes);
        var invariants = new SiteInvariants(site);
        site.Watch = () => Assert.Equal("", invariants.Violated());
        site.Run(1);
        Assert.Equal("", site.Await(site[1], site[1].Deploy(spec)).Fault);
        site.Run(1);
        return site;
    }

    public static bool Runs(this SimulatedNode node) => node.Engine.Containers.TryGetValue(Id, out var container) && container.IsRunning;

    public static WorkloadRecord? Known(this SimulatedNode node) => node.Core!.KnownRecords.FirstOrDefault(record => record.Id == Id);

    public static void AssertSettledOn(this SimulatedSite site, int node)
    {
        Assert.Equal("", new SiteInvariants(site).Unsettled(Id, mustLive: true, mustBeGone: false));
        Assert.True(site[node].Runs(), $"it is on {site[node].Known()!.Owner.Name}");
    }
}
