using EdgeFirmware.Mesh.Membership;

namespace EdgeFirmware.Mesh.Tests.Membership;

public sealed class RoundTripWindowTests
{
    private readonly RoundTripWindow _window = new();

    [Fact]
    public void Nothing_is_known_before_the_first_answer() => Assert.Null(_window.Smallest);

    [Fact]
    public void Answers_that_waited_for_a_processor_do_not_count()
    {
        Add(20, 2, 40, 35);
        Assert.Equal(TimeSpan.FromMilliseconds(2), _window.Smallest);
    }

    [Fact]
    public void A_path_that_became_longer_is_believed_after_a_window()
    {
        Add(2);
        Add([.. Enumerable.Repeat(30.0, RoundTripWindow.Samples - 1)]);
        Assert.Equal(TimeSpan.FromMilliseconds(2), _window.Smallest);
        Add(31);
        Assert.Equal(TimeSpan.FromMilliseconds(30), _window.Smallest);
    }

    private void Add(params double[] milliseconds)
    {
        foreach (var sample in milliseconds)
            _window.Add(TimeSpan.FromMilliseconds(sample));
    }
}
