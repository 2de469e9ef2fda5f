using EdgeFirmware.Platform.Memory;

namespace EdgeFirmware.Platform.Tests.Memory;

public sealed class HeapPolicyTests
{
    private const long Left = 20 << 20;
    private readonly HeapPolicy _policy = new();

    public HeapPolicyTests()
    {
        _policy.IsDue(Left, Seconds(1), Seconds(10));
        _policy.Compacted(Left, Seconds(10));
    }

    [Fact]
    public void A_heap_that_has_grown_is_compacted_when_the_process_is_quiet() => Assert.True(_policy.IsDue(Left * 3 / 2, Seconds(1.1), Seconds(15)));

    [Fact]
    public void Nobody_who_waits_for_messages_is_stopped()
    {
        Assert.False(_policy.IsDue(Left * 3 / 2, Seconds(3), Seconds(15)));
        Assert.True(_policy.IsDue(Left * 3 / 2, Seconds(3.1), Seconds(20)));
    }

    [Fact]
    public void A_little_more_is_left_alone() => Assert.False(_policy.IsDue(Left * 6 / 5, Seconds(1.1), Seconds(15)));

    [Fact]
    public void In_a_small_heap_a_quarter_is_not_worth_it()
    {
        _policy.Compacted(4 << 20, Seconds(10));
        Assert.False(_policy.IsDue(6 << 20, Seconds(1.1), Seconds(15)));
        Assert.True(_policy.IsDue((6 << 20) + 1, Seconds(1.1), Seconds(20)));
    }

    [Fact]
    public void Now_and_then_it_is_done_whatever_goes_on()
    {
        Assert.False(_policy.IsDue(Left, Seconds(300), Seconds(609)));
        Assert.True(_policy.IsDue(Left, Seconds(600), Seconds(610)));
    }

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);
}
