using EdgeFirmware.Contracts;
using EdgeFirmware.Mesh.Placement;

namespace EdgeFirmware.Mesh.Tests.Placement;

public sealed class TenureTests
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(20);
    private static readonly Instant Came = new(1_000_000_000);

    [Theory]
    [InlineData(0, 20)]
    [InlineData(1, 20)]
    [InlineData(2, 40)]
    [InlineData(5, 320)]
    [InlineData(Tenure.MovesMax, 10_240)]
    [InlineData(Tenure.MovesMax + 50, 10_240)]
    public void Each_recent_move_doubles_the_time_it_must_stay(int moves, double seconds)
    {
        var tenure = new Tenure(Came, moves, ByUser: false);
        Assert.False(tenure.IsSettled(First, Came + TimeSpan.FromSeconds(seconds - 0.1)));
        Assert.True(tenure.IsSettled(First, Came + TimeSpan.FromSeconds(seconds + 0.1)));
    }

    [Fact]
    public void A_move_is_forgotten_after_four_such_times()
    {
        var tenure = new Tenure(Came, 3, ByUser: false);
        Assert.Equal(3, tenure.RecentMoves(First, Came + TimeSpan.FromSeconds(320)));
        Assert.Equal(2, tenure.RecentMoves(First, Came + TimeSpan.FromSeconds(321)));
        Assert.Equal(0, tenure.RecentMoves(First, Came + TimeSpan.FromSeconds(321 + 160 + 80)));
        Assert.Equal(0, tenure.RecentMoves(First, Came + TimeSpan.FromDays(300)));
    }
}
