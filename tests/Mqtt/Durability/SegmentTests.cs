using EdgeFirmware.Mqtt.Durability;
using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Durability;

public sealed class SegmentTests : IDisposable
{
    private const int Frames = 5;
    private readonly string _directory = Directory.CreateTempSubdirectory("edge-segment-").FullName;

    [Fact]
    public void Cut_at_any_byte_a_log_gives_its_whole_frames_and_says_what_was_cut()
    {
        var (bytes, ends) = Log();
        for (var length = 0; length <= bytes.Length; length++)
        {
            var (reading, replay) = Read(bytes[..length]);
            var whole = ends.Count(end => end <= length);
            Assert.Equal(whole, replay.Sessions.Count);
            var kept = length < Segment.HeaderBytes ? 0 : whole == 0 ? Segment.HeaderBytes : ends[whole - 1];
            Assert.Equal(kept, reading.WholeBytes);
            // A tail of zeros is space that was reserved, not something that was lost.
            var cut = length < Segment.HeaderBytes ? length : bytes[kept..length].AsSpan().LastIndexOfAnyExcept((byte)0) + 1;
            Assert.Equal(cut, reading.CutBytes);
        }
    }

    [Fact]
    public void A_flipped_bit_costs_at_most_the_frame_it_is_in_or_the_tail()
    {
        var (bytes, ends) = Log();
        for (var position = 0; position < bytes.Length; position++)
        {
            for (var bit = 0; bit < 8; bit++)
            {
                bytes[position] ^= (byte)(1 << bit);
                var (_, replay) = Read(bytes);
                bytes[position] ^= (byte)(1 << bit);
                var before = ends.Count(end => end <= position);
                Assert.InRange(replay.Sessions.Count, position < Segment.HeaderBytes ? 0 : before, Frames - 1);
            }
        }
    }

    [Fact]
    public void Damage_in_the_middle_is_told_apart_from_a_torn_tail()
    {
        var (bytes, ends) = Log();
        bytes[ends[1] - 1] ^= 1;
        var (reading, replay) = Read(bytes);
        Assert.Equal((1, bytes.Length, 0), (reading.Damaged, reading.WholeBytes, reading.CutBytes));
        Assert.Equal(Frames - 1, replay.Sessions.Count);
    }

    [Fact]
    public void Records_of_random_bytes_are_survived()
    {
        var random = new Random(7);
        for (var i = 0; i < 20_000; i++)
        {
            var replay = new Replay();
            var body = new byte[random.Next(1, 80)];
            random.NextBytes(body);
            body[0] = (byte)random.Next(1, 18);
            replay.Apply(body);
            Assert.True(replay.Sessions.Count + replay.Retained.Count <= body.Length);
        }
    }

    [Fact]
    public void Records_that_come_twice_count_once()
    {
        var replay = new Replay();
        var output = new OutputBuffer();
        var encoder = new EntryEncoder(snapshot: 0);
        var message = new StoredMessage(1, Messages.Message("a", "x", QoS.AtLeastOnce), 0);
        var delivery = new StoredDelivery(2, 1, message, QoS.AtLeastOnce, false, [3]);
        encoder.Write(output, Opened(1));
        encoder.Write(output, new(EntryKind.Queued, 1, 0, delivery));
        encoder.Write(output, new(EntryKind.Sent, 1, 9, delivery));
        encoder.Write(output, new(EntryKind.InboundTaken, 1, 4, null));
        Assert.True(replay.Apply(output.Written));
        Assert.True(replay.Apply(output.Written));
        var session = Assert.Single(replay.Sessions.Values);
        Assert.Equal((9, 1), (Assert.Single(session.Deliveries.Values).PacketId, session.Inbound.Count));
        Assert.Equal(1, Assert.Single(session.Deliveries.Values).Stored.References);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static JournalEntry Opened(uint id) =>
        new(EntryKind.SessionOpened, id, 0, new SessionTermsEntry($"client{id}", "user", ProtocolVersion.V5, 100, null));

    /// <summary>A frame a session. Also where each frame ends.</summary>
    private (byte[] Bytes, int[] Ends) Log()
    {
        var path = Path.Combine(_directory, "written");
        var ends = new int[Frames];
        using (var segment = Segment.Create(path, 1, allocate: false))
        {
            for (var i = 0; i < Frames; i++)
            {
                var frame = new OutputBuffer();
                frame.WriteBytes(new byte[Segment.FrameHeaderBytes]);
                new EntryEncoder(snapshot: 0).Write(frame, Opened((uint)i + 1));
                segment.Write(frame.Span);
                ends[i] = (int)segment.Length;
            }
        }

        return (File.ReadAllBytes(path), ends);
    }

    private (SegmentReading Reading, Replay Replay) Read(byte[] bytes)
    {
        var path = Path.Combine(_directory, "read");
        File.WriteAllBytes(path, bytes);
        var replay = new Replay();
        return (SegmentReader.Read(path, 1, replay), replay);
    }
}
