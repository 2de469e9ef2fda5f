using EdgeFirmware.Contracts.Messaging;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Workloads.Custody;
using EdgeFirmware.Workloads.Tests.Support;

namespace EdgeFirmware.Workloads.Tests.Custody;

public sealed class LaneTests : IDisposable
{
    private readonly ManualBroker _broker = new();
    private readonly Outlet _outlet;
    private readonly Lane _lane;
    private readonly List<long> _answered = [];

    public LaneTests()
    {
        _outlet = new Outlet(Samples.Workload, 1, "demo-conv", ["in/#"], _broker);
        _outlet.Attach(1);
        _lane = _outlet.LaneOf(Guid.NewGuid());
    }

    public void Dispose() => _outlet.Dispose();

    [Fact]
    public async Task A_message_that_comes_again_is_answered_and_not_given_twice()
    {
        Action<long, IReadOnlyList<SensorMessage>> first = Forget, second = Answer;
        _lane.Open(first, 1);
        _lane.Offer(first, 1, Samples.Message("a"));
        (await _broker.NextAsync()).Settle(true);
        _lane.Open(second, 1);
        _lane.Offer(second, 1, Samples.Message("a"));
        Assert.Equal([1], _answered);
        Assert.Equal(1, _broker.Delivered);
    }

    [Fact]
    public async Task After_a_reconnect_answers_keep_the_order_of_the_inputs()
    {
        Action<long, IReadOnlyList<SensorMessage>> first = Forget, second = Answer;
        _lane.Open(first, 1);
        _lane.Offer(first, 1, Samples.Message("a"));
        _lane.Offer(first, 2, Samples.Message("b"));
        (await _broker.NextAsync()).Settle(true);
        _lane.Open(second, 1);
        (await _broker.NextAsync()).Settle(true); // the second ends before the inlet has offered the first again
        Assert.Empty(_answered);
        _lane.Offer(second, 1, Samples.Message("a"));
        _lane.Offer(second, 2, Samples.Message("b"));
        Assert.Equal([1, 2], _answered);
    }

    [Fact]
    public async Task A_confirmation_that_was_lost_is_made_good_when_the_inlet_is_back()
    {
        Action<long, IReadOnlyList<SensorMessage>> first = Answer, second = Answer;
        _lane.Open(first, 1);
        _lane.Offer(first, 1, Samples.Message("a"));
        var delivery = await _broker.NextAsync();
        _outlet.Capture(Samples.Message("r"));
        delivery.Settle(true);
        var idle = _outlet.PauseAsync();
        Assert.False(idle.IsCompleted);
        Assert.Equal(["r"], _lane.Open(second, 2).Select(Samples.Text));
        await idle.Patiently();
        Assert.Empty(_lane.Open(second, 2));
    }

    [Fact]
    public void A_connection_that_was_taken_over_has_no_say()
    {
        Action<long, IReadOnlyList<SensorMessage>> first = Forget, second = Answer;
        _lane.Open(first, 1);
        _lane.Open(second, 1);
        _lane.Offer(first, 1, Samples.Message("late"));
        _lane.Close(first);
        Assert.Equal(0, _broker.Delivered);
        _lane.Offer(second, 1, Samples.Message("a"));
        Assert.Equal(1, _broker.Delivered);
    }

    [Fact]
    public async Task Results_are_confirmed_once_and_only_when_there_are_any()
    {
        Action<long, IReadOnlyList<SensorMessage>> answer = Answer;
        _lane.Open(answer, 1);
        _lane.Offer(answer, 1, Samples.Message("a"));
        var delivery = await _broker.NextAsync();
        Assert.Empty(_lane.Committed(1)); // too early
        _outlet.Capture(Samples.Message("r"));
        delivery.Settle(true);
        Assert.Single(_lane.Committed(1));
        Assert.Empty(_lane.Committed(1));
        Assert.Empty(_lane.Committed(99));
        await _outlet.PauseAsync().Patiently();
    }

    [Fact]
    public void An_inlet_that_sends_without_end_is_stopped()
    {
        Action<long, IReadOnlyList<SensorMessage>> answer = Answer;
        _lane.Open(answer, 1);
        Assert.Throws<PeerException>(() =>
        {
            for (var i = 1; i < 10_000; i++)
                _lane.Offer(answer, i, Samples.Message("x"));
        });
    }

    [Fact]
    public void Streams_are_limited_and_idle_ones_make_room()
    {
        for (var i = 0; i < 3000; i++)
            _outlet.LaneOf(Guid.NewGuid());
        Action<long, IReadOnlyList<SensorMessage>> answer = Answer;
        Assert.Throws<PeerException>(() =>
        {
            for (var i = 0; i < 3000; i++)
                _outlet.LaneOf(Guid.NewGuid()).Open(answer, 1);
        });
    }

    private void Answer(long sequence, IReadOnlyList<SensorMessage> results) => _answered.Add(sequence);

    private static void Forget(long sequence, IReadOnlyList<SensorMessage> results)
    {
        // The connection is lost: nobody hears it.
    }
}
