using EdgeFirmware.Workloads.Custody;
using EdgeFirmware.Workloads.Tests.Support;

namespace EdgeFirmware.Workloads.Tests.Custody;

public sealed class InletQueueTests
{
    [Fact]
    public void Messages_are_sent_in_the_order_in_which_they_came()
    {
        var queue = Filled(3);
        Assert.Equal([1, 2, 3], Send(queue, 10));
    }

    [Fact]
    public void No_more_is_in_flight_than_allowed()
    {
        var queue = Filled(5);
        Assert.Equal([1, 2], Send(queue, 2));
        Assert.True(queue.Processed(1));
        Assert.Equal([3], Send(queue, 2));
    }

    [Fact]
    public void A_repeated_answer_counts_once()
    {
        var queue = Filled(2);
        Send(queue, 10);
        Assert.True(queue.Processed(1));
        Assert.False(queue.Processed(1));
        Assert.Equal(1, queue.InFlight);
    }

    [Fact]
    public void After_a_rewind_everything_unprocessed_is_sent_again_in_order()
    {
        var queue = Filled(4);
        Send(queue, 10);
        queue.Processed(2);
        queue.Rewind();
        Assert.Equal([1, 3, 4], Send(queue, 10));
    }

    [Fact]
    public void An_answer_to_what_was_not_sent_again_yet_is_accepted()
    {
        var queue = Filled(3);
        Send(queue, 10);
        queue.Rewind();
        Assert.True(queue.Processed(1));
        Assert.True(queue.Processed(3));
        Assert.Equal([2], Send(queue, 10));
        Assert.Equal(1, queue.InFlight);
    }

    [Theory]
    [InlineData(0, 100, true)]
    [InlineData(1, 100, false)]
    [InlineData(1, 1000, true)]
    [InlineData(9, 1000, false)]
    public void It_has_room_below_its_limit_and_always_for_one(int count, long bytesMax, bool hasRoom) =>
        Assert.Equal(hasRoom, Filled(count, bytesMax).HasRoom); // 120 bytes each

    [Fact]
    public void The_first_sequence_is_that_of_the_oldest_waiting_or_of_the_next_to_come()
    {
        var queue = Filled(2);
        Assert.Equal(1, queue.First);
        queue.Processed(1);
        Assert.Equal(2, queue.First);
        queue.Processed(2);
        Assert.Equal(3, queue.First);
    }

    [Fact]
    public void What_is_to_be_kept_is_sent_once_it_is_on_disk()
    {
        var queue = new InletQueue(1 << 20, last: 10);
        queue.Add(11, Samples.Message(52, 0));
        queue.Add(12, Samples.Message(52, 1));
        queue.Add(13, Samples.Message(52, 0));
        Assert.Equal([11], Send(queue, 10));
        queue.KeptUpTo(12);
        Assert.Equal([12, 13], Send(queue, 10));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void It_behaves_as_a_plain_list_does(int seed)
    {
        var random = new Random(seed);
        var queue = new InletQueue(5_000);
        var model = new List<(long Sequence, int Bytes, bool Sent)>();
        var last = 0L;
        var kept = 0L;
        for (var step = 0; step < 20_000; step++)
        {
            switch (random.Next(9))
            {
                case 8:
                    queue.KeptUpTo(kept = last);
                    break;
                case 0 or 1 or 2:
                    var message = Samples.Message(random.Next(300), 1);
                    queue.Add(++last, message);
                    model.Add((last, message.SizeBytes, false));
                    break;
                case 3 or 4:
                    var next = model.FindIndex(one => !one.Sent);
                    var may = next >= 0 && model.Count(one => one.Sent) < 8 && model[next].Sequence <= kept;
                    Assert.Equal(may, queue.TryTakeUnsent(8, out var entry));
                    if (may)
                    {
                        Assert.Equal(model[next].Sequence, entry.Sequence);
                        model[next] = model[next] with { Sent = true };
                    }
                    break;
                case 5 or 6:
                    var sequence = last - random.Next(20);
                    var index = model.FindIndex(one => one.Sequence == sequence);
                    Assert.Equal(index >= 0, queue.Processed(sequence));
                    if (index >= 0)
                        model.RemoveAt(index);
                    break;
                default:
                    queue.Rewind();
                    model = model.ConvertAll(one => one with { Sent = false });
                    break;
            }
            Assert.Equal(model.Count, queue.Count);
            Assert.Equal(model.Sum(one => one.Bytes), queue.Bytes);
            Assert.Equal(model.Count(one => one.Sent), queue.InFlight);
            Assert.Equal(model.Count == 0 || model.Sum(one => one.Bytes) < 5_000, queue.HasRoom);
        }
    }

    private static InletQueue Filled(int count, long bytesMax = 1 << 20)
    {
        var queue = new InletQueue(bytesMax);
        for (var i = 0; i < count; i++)
            queue.Add(i + 1, Samples.Message(52, 1));
        queue.KeptUpTo(count);
        return queue;
    }

    private static List<long> Send(InletQueue queue, int inFlightMax)
    {
        var sent = new List<long>();
        while (queue.TryTakeUnsent(inFlightMax, out var entry))
            sent.Add(entry.Sequence);
        return sent;
    }
}
