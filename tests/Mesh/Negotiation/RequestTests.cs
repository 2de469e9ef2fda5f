using EdgeFirmware.Contracts;
using EdgeFirmware.Mesh.Negotiation;

namespace EdgeFirmware.Mesh.Tests.Negotiation;

/// <summary>A user asks one node for what only another can do.</summary>
public sealed class RequestTests
{
    [Fact]
    public void A_move_asked_anywhere_is_made_by_the_owner_and_answered_with_its_figures()
    {
        var site = Asking.With(3);
        var answer = site.Await(site[3], site[3].Move(site[2].Id));
        Assert.Equal("", answer.Fault);
        Assert.Equal((site[1].Id, site[2].Id), (answer.Figures!.From, answer.Figures.To));
        Assert.Equal(site[2].Id, site[3].Known()!.Owner);
        site.Run(1);
        site.AssertSettledOn(2);
    }

    [Fact]
    public void A_user_can_fetch_a_workload_to_the_node_he_asks()
    {
        var site = Asking.With(3);
        Assert.Equal("", site.Await(site[3], site[3].Move(site[3].Id)).Fault);
        site.Run(1);
        site.AssertSettledOn(3);
    }

    [Fact]
    public void A_removal_asked_anywhere_is_made_by_the_owner()
    {
        var site = Asking.With(3);
        var answer = site.Await(site[3], site[3].Remove());
        Assert.Equal("", answer.Fault);
        Assert.Equal(WorkloadState.Removed, answer.Record!.State);
        Assert.Equal(WorkloadState.Removed, site[3].Known()!.State);
        site.Run(1);
        Assert.False(site[1].Runs());
    }

    [Fact]
    public void A_refusal_of_the_owner_reaches_the_user_with_its_name()
    {
        var site = Asking.With(2);
        site[2].Offer = Samples.MessagingOnly;
        site.Run(1);
        var fault = site.Await(site[2], site[2].Move()).Fault;
        Assert.StartsWith("gate-1: no peer can take it", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void Lost_and_doubled_requests_and_replies_move_it_once()
    {
        var site = Asking.With(3);
        site.Links.Duplication = 1;
        var (requests, replies) = (0, 0);
        site[3].Drops = (_, message) => message is Request && requests++ < 2;
        site[1].Drops = (_, message) => message is Reply && replies++ < 2;
        Assert.Equal(2, site.Await(site[3], site[3].Move(site[2].Id)).Figures!.Epoch);
        site.Run(30);
        Assert.Equal(2, site[1].Known()!.Epoch);
        Assert.Single(site[3].Answers);
    }

    [Fact]
    public void An_owner_that_never_answers_costs_the_user_a_minute_and_no_more()
    {
        var site = Asking.With(2);
        site[1].Drops = (_, message) => message is Reply;
        Assert.Contains("no answer from gate-1", site.Await(site[2], site[2].Remove(), 61).Fault, StringComparison.Ordinal);
    }

    [Fact]
    public void An_owner_that_dies_meanwhile_is_named()
    {
        var site = Asking.With(3);
        site[1].Drops = (_, message) => message is Reply;
        var operation = site[3].Move(site[2].Id);
        site.Run(0.1);
        site[1].Crash();
        Assert.Contains("gate-1", site.Await(site[3], operation, 10).Fault, StringComparison.Ordinal);
    }

    [Fact]
    public void A_request_that_finds_the_owner_changed_says_who_has_it()
    {
        var site = Asking.With(3);
        site.Links.Cut(site[2].Id, site[3].Id);
        site[1].Drops = (to, message) => to == site[3].Id && message is Records;
        site.Await(site[1], site[1].Move(site[2].Id));
        Assert.Equal(site[1].Id, site[3].Known()!.Owner);
        Assert.Contains("is with gate-2 now", site.Await(site[3], site[3].Remove()).Fault, StringComparison.Ordinal);
        Assert.Equal(site[2].Id, site[3].Known()!.Owner);
    }

    [Fact]
    public void An_answer_that_cannot_be_is_not_passed_on_as_success()
    {
        var site = Asking.With(2);
        site[1].Drops = (_, message) => message is Reply;
        var operation = site[2].Remove();
        site[2].Hear(new Reply(operation, null, null, ""), site[1].Id);
        Assert.Contains("cannot be", site[2].AnswerTo(operation)!.Fault, StringComparison.Ordinal);
    }

    [Fact]
    public void Only_the_owner_may_answer()
    {
        var site = Asking.With(3);
        site[1].Drops = (_, message) => message is Reply;
        var operation = site[2].Remove();
        site[2].Hear(new Reply(operation, null, null, "no"), site[3].Id);
        Assert.Null(site[2].AnswerTo(operation));
    }

    [Fact]
    public void A_flood_of_requests_is_bounded()
    {
        var site = Asking.With(2);
        for (var i = 1; i <= 400; i++)
            site[1].Hear(new Request(new Guid(i, 0, 0, new byte[8]), RequestVerb.Move, Asking.Id, site[1].Id, ""), site[2].Id);
        Assert.Equal(400 - 256, site[1].Sent.Count(sent => sent.Message is Reply { Fault: "it has too many requests open: try again" }));
        site.Run(70);
        Assert.Equal("", site.Await(site[2], site[2].Move()).Fault);
    }
}
