using EdgeFirmware.Overlay.Sealing;
using EdgeFirmware.Overlay.Sessions;

namespace EdgeFirmware.Overlay.Tests.Sessions;

public sealed class FramesTests
{
    private readonly byte[] _packet = new byte[PacketSeal.PlainBytesMax];

    [Fact]
    public void A_sensor_message_alone_costs_three_bytes()
    {
        var writer = new FrameWriter(_packet);
        writer.Chunk(Lane(3, 32).Take(1000, isEmpty: true)!);
        writer.End();
        Assert.Equal(3 + 32, writer.Length);
    }

    [Fact]
    public void One_that_follows_another_costs_two_and_the_last_of_them_one()
    {
        var lane = Lane(3, 32, 32, 32);
        var writer = new FrameWriter(_packet);
        for (var i = 0; i < 3; i++)
            writer.Chunk(lane.Take(1000, isEmpty: false)!);
        writer.End();
        Assert.Equal(4 + 32 + 2 + 32 + 1 + 32, writer.Length);
    }

    [Theory]
    [InlineData(0, 0ul, 3)]
    [InlineData(1, 0ul, 4)]
    [InlineData(1000, 0ul, 5)]
    [InlineData(0, 1ul, 5)]
    [InlineData(300, ulong.MaxValue, 14)]
    public void An_acknowledgement_is_read_as_it_was_written(uint unsettled, ulong early, int bytes)
    {
        var writer = new FrameWriter(_packet);
        writer.Ack(7, 65535, unsettled, early);
        Assert.Equal(bytes, writer.Length);
        var reader = new FrameReader(_packet.AsSpan(0, writer.Length));
        Assert.True(reader.Read());
        Assert.Equal(new AckFrame(7, 65535, unsettled, early), reader.Ack);
        Assert.False(reader.Read());
        Assert.False(reader.IsMalformed);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(127)]
    [InlineData(128)]
    [InlineData(1100)]
    public void Chunks_of_any_size_are_read_as_they_were_written(int size)
    {
        var lanes = new[] { Lane(0, size), Lane(5, 3, 3) };
        var writer = new FrameWriter(_packet);
        writer.Pong(77);
        writer.Chunk(lanes[0].Take(1200, isEmpty: true)!);
        writer.Chunk(lanes[1].Take(100, isEmpty: false)!);
        writer.Chunk(lanes[1].Take(100, isEmpty: false)!);
        writer.End();
        var reader = new FrameReader(_packet.AsSpan(0, writer.Length));
        Assert.True(reader.Read());
        Assert.Equal((FrameKind.Pong, (ushort)77), (reader.Kind, reader.Id));
        foreach (var (lane, number, bytes) in new[] { (0, 0, size), (5, 0, 3), (5, 1, 3) })
        {
            Assert.True(reader.Read());
            Assert.Equal((lane, number, bytes, true, true), (reader.Chunk.Lane, reader.Chunk.Number, reader.Chunk.Body.Length, reader.Chunk.IsFirst, reader.Chunk.IsLast));
        }
        Assert.False(reader.Read());
        Assert.False(reader.IsMalformed);
    }

    [Fact]
    public void Any_bytes_are_read_without_harm_and_change_nothing_that_was_acknowledged()
    {
        var random = new Random(5);
        var way = Way.Wan();
        var pair = new Pair(5, way);
        pair.Run(1);
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = new byte[random.Next(0, 60)];
            random.NextBytes(bytes);
            pair.Right.Session.Handle(pair.Right.Session.Paths[0], bytes, pair.Now);
            pair.Right.Session.Inbox.Clear();
        }
        Assert.True(pair.Right.Session.Malformed > 10_000);
    }

    private static SendLane Lane(byte number, params int[] sizes)
    {
        var lane = new SendLane(number);
        for (var i = 0; i < sizes.Length; i++)
            Assert.True(lane.TryPut(new OutgoingMessage(new byte[sizes[i]], i)));
        return lane;
    }
}
