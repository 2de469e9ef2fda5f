using EdgeFirmware.Contracts;
using EdgeFirmware.Workloads.Custody;

namespace EdgeFirmware.Workloads.Tests.Custody;

public sealed class HearingBookTests
{
    private static readonly WorkloadId Id = WorkloadId.Parse("ana-filter");
    private static readonly NodeId Near = NodeId.Parse("gate-1/02:00:00:00:00:01");
    private static readonly NodeId Far = NodeId.Parse("gate-2/02:00:00:00:00:02");

    [Fact]
    public void Shares_follow_where_messages_are_heard_and_forget_where_they_were()
    {
        var time = new AgingTime();
        var book = new HearingBook(time);
        for (var i = 0; i < 80; i++)
            book.Heard(Id, Near);
        for (var i = 0; i < 20; i++)
            book.Heard(Id, Far);
        Assert.Equal([0.8, 0.2], book.Read().Select(source => Math.Round(source.Share, 3)));
        time.Now += HearingBook.HalfLife;
        for (var i = 0; i < 30; i++)
            book.Heard(Id, Far);
        Assert.Equal(0.5, book.Read().Single(source => source.Node == Far).Share, 0.15);
        time.Now += 40 * HearingBook.HalfLife;
        Assert.Empty(book.Read());
    }

    [Fact]
    public void A_crowd_of_nodes_is_bounded()
    {
        var book = new HearingBook(new AgingTime());
        for (var i = 0; i < 1000; i++)
            book.Heard(Id, NodeId.Parse($"gate-{i}/02:00:00:00:{i >> 8:x2}:{i & 0xff:x2}"));
        Assert.Equal(64, book.Read().Count);
    }

    private sealed class AgingTime : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
