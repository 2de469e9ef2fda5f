using EdgeFirmware.Contracts.Messaging;
using EdgeFirmware.Workloads.Custody;
using EdgeFirmware.Workloads.Tests.Support;

namespace EdgeFirmware.Workloads.Tests.Custody;

public sealed class OutletTests
{
    private readonly ManualBroker _broker = new();
    private readonly List<string> _done = [];

    [Fact]
    public async Task One_message_is_in_hand_at_a_time()
    {
        var outlet = Open();
        Give(outlet, "a", "b");
        var first = await _broker.NextAsync();
        Assert.False(_broker.HasDelivery);
        first.Settle(true);
        Assert.Equal("b", (await _broker.NextAsync()).Text);
    }

    [Fact]
    public async Task What_is_published_while_a_message_is_in_hand_is_its_result()
    {
        var outlet = Open();
        Assert.False(outlet.Capture(Samples.Message("early")));
        Give(outlet, "a");
        var delivery = await _broker.NextAsync();
        Assert.True(outlet.Capture(Samples.Message("r1")));
        Assert.True(outlet.Capture(Samples.Message("r2")));
        delivery.Settle(true);
        Assert.False(outlet.Capture(Samples.Message("late")));
        Assert.Equal(["a:r1,r2"], _done);
    }

    [Fact]
    public async Task A_lost_connection_makes_half_results_count_for_nothing()
    {
        var outlet = Open();
        Give(outlet, "a");
        var delivery = await _broker.NextAsync();
        outlet.Capture(Samples.Message("half"));
        outlet.Detach();
        outlet.Attach(1); // the session is resumed: the broker gives the message again under the same delivery
        outlet.Capture(Samples.Message("whole"));
        delivery.Settle(true);
        Assert.Equal(["a:whole"], _done);
    }

    [Fact]
    public async Task At_QoS_2_results_outlive_the_connection_because_the_message_is_not_repeated()
    {
        var outlet = Open(qos: 2);
        Give(outlet, "a");
        var delivery = await _broker.NextAsync();
        outlet.Capture(Samples.Message("r"));
        outlet.Detach();
        outlet.Attach(2);
        delivery.Settle(true);
        Assert.Equal(["a:r"], _done);
    }

    [Fact]
    public async Task When_the_session_ends_the_message_in_hand_is_first_in_line_again()
    {
        var outlet = Open();
        Give(outlet, "a", "b");
        var delivery = await _broker.NextAsync();
        outlet.Capture(Samples.Message("half"));
        delivery.Settle(false);
        Assert.False(_broker.HasDelivery);
        outlet.Attach(1);
        var again = await _broker.NextAsync();
        again.Settle(true);
        (await _broker.NextAsync()).Settle(true);
        Assert.Equal(["a:", "b:"], _done);
    }

    [Fact]
    public async Task A_session_whose_end_is_told_after_the_copy_is_back_does_not_silence_it()
    {
        var outlet = Open();
        Give(outlet, "a");
        var delivery = await _broker.NextAsync();
        outlet.Attach(1);
        delivery.Settle(false);
        Assert.Equal("a", (await _broker.NextAsync()).Text);
    }

    [Fact]
    public void A_long_queue_settled_at_once_costs_no_stack()
    {
        var broker = new ManualBroker { AcknowledgesAtOnce = true };
        using var outlet = new Outlet(Samples.Workload, 1, "demo-conv", ["in/#"], broker);
        var done = 0;
        for (var i = 0; i < 100_000; i++)
            outlet.Enqueue(Samples.Message("x"), _ => done++);
        outlet.Attach(0);
        Assert.Equal(100_000, done);
    }

    [Fact]
    public async Task Results_beyond_the_limit_go_out_at_once()
    {
        var outlet = Open();
        Give(outlet, "a");
        await _broker.NextAsync();
        for (var i = 0; i < 1000; i++)
            Assert.True(outlet.Capture(Samples.Message("r")));
        Assert.False(outlet.Capture(Samples.Message("r")));
    }

    [Fact]
    public async Task User_properties_count_against_the_limit()
    {
        var outlet = Open();
        Give(outlet, "a");
        await _broker.NextAsync();
        var large = Samples.Message("r") with { UserProperties = [new("k", new string('v', 60_000))] };
        var captured = 0;
        while (outlet.Capture(large))
            captured++;
        Assert.InRange(captured, 50, 52); // 3 MiB
    }

    [Fact]
    public async Task A_pause_lets_the_message_in_hand_end_and_gives_no_other()
    {
        var outlet = Open();
        Give(outlet, "a", "b");
        var delivery = await _broker.NextAsync();
        var idle = outlet.PauseAsync();
        Assert.False(idle.IsCompleted);
        delivery.Settle(true);
        await idle.Patiently();
        Assert.False(_broker.HasDelivery);
        outlet.Resume();
        Assert.Equal("b", (await _broker.NextAsync()).Text);
    }

    [Fact]
    public async Task A_pause_is_over_only_when_what_is_answered_has_been_handed_on()
    {
        var outlet = Open();
        Task? idle = null;
        var idleWhileHandingOn = true;
        outlet.Enqueue(Samples.Message("a"), _ => idleWhileHandingOn = idle!.IsCompleted);
        var delivery = await _broker.NextAsync();
        idle = outlet.PauseAsync();
        delivery.Settle(true);
        Assert.False(idleWhileHandingOn);
        await idle.Patiently();
    }

    [Fact]
    public async Task A_closed_outlet_gives_nothing_and_takes_the_word_of_its_copy_for_nothing()
    {
        var outlet = Open();
        Give(outlet, "a", "b");
        var delivery = await _broker.NextAsync();
        outlet.Close();
        delivery.Settle(true);
        Assert.Empty(_done);
        Assert.True(outlet.Closed.IsCancellationRequested);
        Assert.True(outlet.Capture(Samples.Message("from the grave")));
        await outlet.PauseAsync().Patiently();
        Assert.False(_broker.HasDelivery);
    }

    private Outlet Open(byte qos = 1)
    {
        var outlet = new Outlet(Samples.Workload, 1, "demo-conv", ["in/#"], _broker);
        outlet.Attach(qos);
        return outlet;
    }

    private void Give(Outlet outlet, params string[] texts)
    {
        foreach (var text in texts)
            outlet.Enqueue(Samples.Message(text), results => _done.Add($"{text}:{Joined(results)}"));
    }

    private static string Joined(IReadOnlyList<SensorMessage> results) => string.Join(',', results.Select(Samples.Text));
}
