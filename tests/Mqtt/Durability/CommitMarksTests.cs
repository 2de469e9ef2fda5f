using EdgeFirmware.Mqtt.Packets;
using EdgeFirmware.Mqtt.Transport;

namespace EdgeFirmware.Mqtt.Tests.Durability;

public sealed class CommitMarksTests
{
    [Fact]
    public void Bytes_behind_a_mark_are_free_once_its_commit_and_those_before_are_done()
    {
        var marks = new CommitMarks();
        Assert.True(marks.Add(5, 10));
        Assert.False(marks.Add(5, 20));
        Assert.True(marks.Add(6, 30));
        Assert.Equal(10, marks.Free(50));
        marks.Shift(10);
        Assert.Equal(0, marks.Free(40));
        marks.Drop(5);
        Assert.Equal(20, marks.Free(40));
        marks.Drop(6);
        Assert.Equal(40, marks.Free(40));
    }

    [Fact]
    public void Against_a_plain_list_no_byte_ever_leaves_before_its_commit()
    {
        var random = new Random(11);
        for (var round = 0; round < 2000; round++)
        {
            var marks = new CommitMarks();
            var bytes = new List<long>();
            var (commit, done, held) = (1L, 0L, 0L);
            for (var step = 0; step < 40; step++)
            {
                switch (random.Next(4))
                {
                    case 0:
                        commit += random.Next(2);
                        if (marks.Add(commit, bytes.Count)) held = commit;
                        break;
                    case 1:
                        for (var i = random.Next(4); i > 0; i--) bytes.Add(held);
                        break;
                    case 2:
                        done = Math.Min(commit, done + 1);
                        marks.Drop(done);
                        break;
                    default:
                        var free = marks.Free(bytes.Count);
                        Assert.All(bytes.Take(free), needed => Assert.True(needed <= done));
                        bytes.RemoveRange(0, free);
                        marks.Shift(free);
                        break;
                }
            }

            marks.Drop(commit);
            Assert.Equal(bytes.Count, marks.Free(bytes.Count));
        }
    }

    [Fact]
    public async Task A_writer_sends_what_is_free_and_the_rest_when_it_is_released()
    {
        using var listener = new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        listener.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        listener.Listen();
        using var peer = new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        await peer.ConnectAsync(listener.LocalEndPoint!);
        using var socket = await listener.AcceptAsync();
        var writer = new PacketWriter(new SocketWire(socket), new NobodyAsks());

        Assert.True(writer.WriteAck(PacketType.PubAck, 1, ReasonCode.Success, ProtocolVersion.V311));
        Assert.True(writer.HoldUntil(1));
        Assert.False(writer.WriteAck(PacketType.PubAck, 2, ReasonCode.Success, ProtocolVersion.V311));
        writer.Flush();
        var buffer = new byte[64];
        Assert.Equal(4, await peer.ReceiveAsync(buffer));
        Assert.Equal(4, writer.UnsentBytes);
        Assert.False(writer.WhenSent().IsCompleted);

        Assert.True(writer.Release(1));
        writer.Flush();
        Assert.Equal(4, await peer.ReceiveAsync(buffer));
        Assert.Equal(2, buffer[3]);
        await Within.Reason(writer.WhenSent());
        Assert.False(writer.Release(1));
    }

    private sealed class NobodyAsks : IWriterOwner
    {
        public void OnEncoded(int bytes)
        {
        }

        public void OnSent(int bytes)
        {
        }

        public void OnDiscarded(int bytes)
        {
        }

        public void OnDrained()
        {
        }
    }
}
