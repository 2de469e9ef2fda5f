using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Overlay.Paths;
using EdgeFirmware.Overlay.Relaying;
using EdgeFirmware.Overlay.Sealing;

namespace EdgeFirmware.Overlay.Sessions;

internal sealed partial class SessionCore
{
    /// <summary>So much goes over any path: what was lost on one has to fit into another.</summary>
    private const int PlainBytesMax = PacketSeal.PlainBytesMax - RelayedHeader.Overhead;

    private bool HasData => Array.Exists(_out, static lane => lane.HasLost || lane.HasNew);

    private bool OwesAck => Array.Exists(_in, static lane => lane.AckAt != Instant.Never);

    /// <summary>What a packet from the peer says; it was authentic.</summary>
    /// <param name="path">By which it came.</param>
    public void Handle(PeerPath path, ReadOnlySpan<byte> packet, Instant now)
    {
        var reader = new FrameReader(packet);
        while (reader.Read())
            switch (reader.Kind)
            {
                case FrameKind.Ping:
                    path.PongDue = reader.Id;
                    foreach (var lane in _in)
                        lane.SayAgain(now);
                    break;
                case FrameKind.Pong:
                    path.Pong(reader.Id, now);
                    break;
                case FrameKind.Ack:
                    Handle(reader.Ack, now);
                    break;
                default:
                    Handle(reader.Chunk, path, now);
                    break;
            }
        if (reader.IsMalformed)
            Malformed++;
        Choose(now);
    }

    /// <summary>The next packet to send.</summary>
    /// <param name="packet">At least <see cref="PacketSeal.PlainBytesMax"/>.</param>
    /// <returns>Its path, and its length; <c>null</c>: nothing now.</returns>
    public (PeerPath Path, int Length)? Poll(Span<byte> packet, Instant now)
    {
        var writer = new FrameWriter(packet[..PlainBytesMax]);
        foreach (var path in _paths)
            if (path.IsUp && (path.PongDue is not null || path.NextPingAt <= now))
                return Done(WriteProbe(ref writer, path, now), ref writer, now);
        if (_rescue is { } rescue)
        {
            _rescue = null;
            if (WriteRescue(ref writer, rescue, now))
                return Done(rescue, ref writer, now);
        }
        if (_current is { } current && HasData && current.Load.ReadyAt(now) <= now)
        {
            var any = OwesAck && WayBack == current && WriteAcks(ref writer, Instant.Never);
            if (WriteChunks(ref writer, current, now) || any)
                return Done(current, ref writer, now);
        }
        if (WayBack is { } back && WriteAcks(ref writer, now))
            return Done(back, ref writer, now);
        return null;
    }

    private static (PeerPath, int)? Done(PeerPath path, ref FrameWriter writer, Instant now)
    {
        path.Load.Spend(writer.Length + path.Overhead, now);
        return (path, writer.Length);
    }

    private PeerPath WriteProbe(ref FrameWriter writer, PeerPath path, Instant now)
    {
        if (path.PongDue is { } id)
            writer.Pong(id);
        path.PongDue = null;
        if (path.NextPingAt <= now)
            writer.Ping(path.Ping(now));
        if (path == _heardOn)
            WriteAcks(ref writer, now);
        return path;
    }

    /// <summary>The oldest chunk once more, over another path than the one that is silent.</summary>
    private bool WriteRescue(ref FrameWriter writer, PeerPath path, Instant now)
    {
        foreach (var lane in _out)
            if (lane.Oldest is { } oldest)
            {
                path.Load.Begin();
                Write(ref writer, oldest, path, now);
                writer.End();
                return true;
            }
        return false;
    }

    private bool WriteChunks(ref FrameWriter writer, PeerPath path, Instant now)
    {
        var isEmpty = true;
        var room = RoomOn(path);
        foreach (var lane in _out)
            while (room - writer.Length > FrameWriter.ChunkOverheadMax && lane.Take(room - writer.Length - FrameWriter.ChunkOverheadMax, isEmpty) is { } chunk)
            {
                if (isEmpty)
                    path.Load.Begin();
                Write(ref writer, chunk, path, now);
                isEmpty = false;
            }
        writer.End();
        return !isEmpty;
    }

    private static void Write(ref FrameWriter writer, Chunk chunk, PeerPath path, Instant now)
    {
        writer.Chunk(chunk);
        path.Load.Carry(chunk, now);
        path.Expect(now);
    }

    /// <summary>On the radio one frame, as long as nothing waits behind it: fragments are lost together.</summary>
    private int RoomOn(PeerPath path)
    {
        if (path.Kind != LinkKind.SixLowpan || path.Loss <= FragmentLossMax && Array.Exists(_out, static lane => lane.HasLost || lane.Waiting > 1))
            return PlainBytesMax;
        var ofOneFrame = RadioFrames.PayloadOfOneFrame - path.Overhead;
        var lane = Array.Find(_out, static lane => lane.HasLost || lane.HasNew);
        return lane is null || lane.NextBytes + FrameWriter.ChunkOverheadMax <= ofOneFrame ? ofOneFrame : PlainBytesMax;
    }

    /// <param name="dueBy">Only those that are due; <see cref="Instant.Never"/>: whatever is owed.</param>
    private bool WriteAcks(ref FrameWriter writer, Instant dueBy)
    {
        var any = false;
        foreach (var lane in _in)
            if (lane.AckAt != Instant.Never && lane.AckAt <= dueBy && writer.Room >= FrameWriter.AckBytesMax)
            {
                lane.WriteAck(ref writer);
                any = true;
            }
        return any;
    }

    private void Handle(in ChunkFrame chunk, PeerPath path, Instant now)
    {
        var lane = chunk.Lane;
        _heardOn = path;
        if (!_in[lane].Take(chunk, path.Pace.AckDelay, path.Pace.AckEvery, body => Inbox.Enqueue((lane, body)), now))
            Malformed++;
        // The peer has left this side's path: perhaps it knows more of it.
        if (path != _current && _current is { } mine && mine.SilentFor(now) > TimeSpan.Zero)
            mine.Doubt(now);
    }

    private void Handle(in AckFrame ack, Instant now)
    {
        Chunk? newest = null;
        _out[ack.Lane].Acknowledged(ack, chunk =>
        {
            if (chunk.Path is not { } path)
                return;
            path.Load.Acknowledged(chunk);
            if (newest is null || chunk.SentAt >= newest.SentAt)
                newest = chunk;
        }, message => Delivered.Enqueue(message.Token));
        if (newest?.Path is not { } confirmed)
            return;
        // Karn's algorithm: of a chunk that was sent again it is not known which one came.
        confirmed.Confirm(newest.SentAt, newest.Sends == 1, now);
        confirmed.Load.FindLost(confirmed.Patience, now);
    }
}
