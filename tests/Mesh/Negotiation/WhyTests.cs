using EdgeFirmware.Mesh.Negotiation;
using EdgeFirmware.Mesh.Placement;

namespace EdgeFirmware.Mesh.Tests.Negotiation;

/// <summary>A user asks any node why a workload is where it is.</summary>
public sealed class WhyTests
{
    [Fact]
    public void A_deployment_is_explained_with_the_numbers_of_every_candidate()
    {
        var site = Asking.With(3);
        var last = Explain(site, 1).Last!;
        Assert.Equal((Trigger.Deployed, site[1].Id, site[1].Id), (last.Trigger, last.By, last.To!.Value));
        Assert.Equal([Outcome.Chosen, Outcome.Fit, Outcome.Fit], last.Candidates.Select(verdict => verdict.Outcome));
        Assert.All(last.Candidates, verdict => Assert.Equal(
            verdict.Cost!.Value,
            (verdict.Terms!.LatencyMilliseconds + verdict.Terms.MoveMilliseconds) * verdict.Terms.Affinity * verdict.Terms.Risk / verdict.Terms.Left, 6));
    }

    [Fact]
    public void The_decision_travels_with_the_workload_and_any_node_can_tell_it()
    {
        var site = Asking.With(4);
        site[3].Offer = Samples.MessagingOnly;
        site.Run(1);
        site.Await(site[1], site[1].Move());
        site[1].Crash(); // only the new owner knows it now
        site.Run(20);
        var last = Explain(site, 4).Last!;
        Assert.Equal((Trigger.Asked, site[1].Id, site[2].Id), (last.Trigger, last.By, last.To!.Value));
        Assert.InRange(last.SecondsAgo, 20, 25);
        Assert.Equal([Outcome.Chosen, Outcome.Here, Outcome.Fit, Outcome.Unfit], last.Candidates.Select(verdict => verdict.Outcome));
        Assert.Equal("level 0: no container engine answers", last.Candidates[3].Why);
    }

    [Fact]
    public void A_refusal_stands_with_its_reason_beside_the_numbers()
    {
        var site = Asking.With(3);
        // As gossip still has it: the node itself knows better.
        site[2].Ask((core, _) => core.OwnOfferIs(Samples.Offer with { CpuFreeCores = 0.05 }));
        site.Await(site[1], site[1].Move());
        var last = Explain(site, 3).Last!;
        var refused = last.Candidates.Single(verdict => verdict.Node == site[2].Id);
        Assert.Equal((Outcome.Refused, "needs 0.10 cores, 0.05 free"), (refused.Outcome, refused.Why));
        Assert.NotNull(refused.Terms);
    }

    [Fact]
    public void What_would_be_decided_now_is_told_also_when_the_owner_has_restarted_since()
    {
        var site = Asking.With(2);
        site[1].Crash();
        site[1].Start();
        site.Run(10);
        var (last, now) = (Explain(site, 2).Last, Explain(site, 2).Now!);
        Assert.Null(last);
        Assert.Equal([Outcome.Here, Outcome.Unfit], now.Candidates.Select(verdict => verdict.Outcome));
        Assert.StartsWith("cost ", now.Candidates[1].Why, StringComparison.Ordinal);
        Assert.Null(now.To);
    }

    [Fact]
    public void A_decision_that_cannot_be_does_not_spoil_the_move()
    {
        var site = Asking.With(2);
        var spoiled = new Decision(Trigger.Asked, site[1].Id, site[2].Id, new string('x', 100_000), 0, 0, [], 0);
        site[1].Drops = (to, message) =>
        {
            if (message is not Activate { Decision: not null } activate)
                return false;
            site.Carry(site[1], to, activate with { Decision = spoiled });
            return true;
        };
        Assert.Equal("", site.Await(site[1], site[1].Move()).Fault);
        Assert.Null(Explain(site, 2).Last);
    }

    private static Explanation Explain(SimulatedSite site, int node)
    {
        var answer = site.Await(site[node], site[node].Ask((core, operation, now) => core.Explain(operation, Asking.Id, now)));
        Assert.Equal("", answer.Fault);
        Assert.True(answer.Explanation!.IsSound());
        return answer.Explanation;
    }
}
