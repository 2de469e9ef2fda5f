using System.Net;
using EdgeFirmware.Mesh.Membership;

namespace EdgeFirmware.Mesh.Tests.Membership;

public sealed class UpdateQueueTests
{
    private readonly UpdateQueue _queue = new();

    [Fact]
    public void What_was_sent_least_goes_first()
    {
        var (old, young) = (Add(1), Add(2));
        Take(1);
        Assert.Equal([young.Tag], Take(1));
        Assert.Equal([old.Tag], Take(1));
    }

    [Fact]
    public void News_is_sent_so_often_and_no_more()
    {
        Add(1);
        for (var sent = 0; sent < 3; sent++)
            Assert.Single(Take(5));
        Assert.True(_queue.IsEmpty);
        Assert.Empty(Take(5));
    }

    [Fact]
    public void Newer_news_of_a_member_replaces_what_was_being_sent()
    {
        var member = Add(1);
        Take(5);
        Take(5);
        member.StatusNews = _queue.Add(member, NewsKind.Status, member.StatusNews);
        for (var sent = 0; sent < 3; sent++)
            Assert.Single(Take(5));
        Assert.True(_queue.IsEmpty);
    }

    [Fact]
    public void No_datagram_carries_the_same_news_twice_or_more_than_fits()
    {
        for (var number = 1; number <= 100; number++)
            Add(number);
        var news = new List<MemberNews>();
        _queue.Take(news, 255, 500, Make, _ => 3);
        Assert.InRange(news.Sum(one => one.WireBytes), 400, 500);
        Assert.Equal(news.Count, news.Select(one => one.Member).Distinct().Count());
    }

    private Member Add(int number)
    {
        var member = new Member(new MemberIdentity(Samples.Node(number), new IPEndPoint(IPAddress.Loopback, 1), 1));
        member.StatusNews = _queue.Add(member, NewsKind.Status, null);
        return member;
    }

    private List<MemberTag> Take(int count)
    {
        var news = new List<MemberNews>();
        _queue.Take(news, count, 1000, Make, _ => 3);
        return news.Select(one => one.Member).ToList();
    }

    private static MemberNews Make(NewsEntry entry) => entry.Member.ToNews(withIdentity: false, withOffer: false);
}
