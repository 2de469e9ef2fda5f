using EdgeFirmware.Mqtt.Durability;
using EdgeFirmware.Mqtt.Packets;
using EdgeFirmware.Mqtt.Sessions;
using EdgeFirmware.Mqtt.Transport;

namespace EdgeFirmware.Mqtt.Client;

/// <summary>One network connection of a client: frames in, coalesced frames out. Knows nothing of sessions.</summary>
internal sealed class ClientConnection : IPacketOutput, IWriterOwner, ICommitWaiter, IDisposable
{
    private readonly Wire _wire;
    private readonly PacketWriter _writer;
    private readonly ReceiveBuffer _buffer = new();
    private readonly Action _onDrained;
    private readonly ProtocolVersion _version;
    private readonly int _packetBytesMax;
    private int _wanted;
    private int _flushOwed;

    public ClientConnection(Wire wire, ProtocolVersion version, int packetBytesMax, Action onDrained)
    {
        _wire = wire;
        _version = version;
        _packetBytesMax = packetBytesMax;
        _onDrained = onDrained;
        _writer = new PacketWriter(wire, this);
    }

    public void OnEncoded(int bytes)
    {
    }

    public void OnSent(int bytes)
    {
    }

    public void OnDiscarded(int bytes)
    {
    }

    public void OnDrained() => _onDrained();

    public int UnsentBytes => _writer.UnsentBytes;

    /// <summary>Told when there is something to flush; null when the owner flushes in any case.</summary>
    public Action<ClientConnection>? Touched { get; set; }

    /// <summary>Null when nothing is kept on disk.</summary>
    public Journal? Journal { get; set; }

    public void AwaitCommit() => Journal?.Hold(this);

    public bool HoldUntil(long commit) => _writer.HoldUntil(commit);

    public void Committed(long commit)
    {
        if (_writer.Release(commit)) _writer.Flush();
    }

    public bool NotifyWhenSent() => _writer.NotifyWhenSent();

    /// <summary>The largest packet the broker takes [MQTT-3.2.2-15].</summary>
    public uint SendBytesMax { get; set; } = uint.MaxValue;

    /// <summary>What the broker sent instead of a packet; Success while all is well.</summary>
    public ReasonCode Failure { get; private set; }

    public void Write(Packet packet) => TryWrite(packet);

    public bool TryWrite(Packet packet)
    {
        var written = _writer.TryWrite(packet, _version, SendBytesMax, out var owed);
        Owe(owed);
        return written;
    }

    public void WriteAck(PacketType type, ushort packetId, ReasonCode reason)
    {
        // What it acknowledges must not be forgotten.
        AwaitCommit();
        Owe(_writer.WriteAck(type, packetId, reason, _version));
    }

    public bool TryWritePublish(in OutgoingPublish publish, uint packetBytesMax)
    {
        var written = _writer.TryWritePublish(publish, _version, packetBytesMax, out var owed);
        Owe(owed);
        return written;
    }

    /// <summary>Sends what was written; call it without locks.</summary>
    public void Flush()
    {
        if (Interlocked.Exchange(ref _flushOwed, 0) == 1) _writer.Flush();
    }

    public void Abort(ReasonCode reason, PacketProperties? explanation = null) => Dispose();

    public Task WhenSent() => _writer.WhenSent();

    /// <summary>The next packets, at least one; empty when the broker closed the connection or sent what is none, see <see cref="Failure"/>.</summary>
    public async ValueTask<List<Packet>> ReceiveAsync()
    {
        var packets = new List<Packet>();
        while (true)
        {
            Parse(packets);
            if (packets.Count > 0 || Failure != ReasonCode.Success) return packets;
            if (await _buffer.ReceiveAsync(_wire, _wanted) == 0) return packets;
        }
    }

    public void Dispose() => _wire.Dispose();

    /// <summary>Gives the receive buffer back; only when no receive is under way.</summary>
    public void Release() => _buffer.Release();

    private void Parse(List<Packet> packets)
    {
        var consumed = 0;
        while (Failure == ReasonCode.Success)
        {
            var rest = _buffer.Received[consumed..];
            var status = Frame.TryRead(rest, _packetBytesMax, out var frame);
            if (status == FrameStatus.Incomplete)
            {
                _wanted = frame.TotalBytes;
                break;
            }

            if (status != FrameStatus.Complete)
            {
                Failure = status == FrameStatus.TooLarge ? ReasonCode.PacketTooLarge : ReasonCode.MalformedPacket;
                break;
            }

            Failure = PacketDecoder.Decode(frame.First, rest.Slice(frame.BodyStart, frame.BodyBytes), _version, out var packet);
            if (packet is not null) packets.Add(packet);
            consumed += frame.TotalBytes;
        }

        if (consumed > 0) _buffer.Consume(consumed);
    }

    private void Owe(bool owed)
    {
        if (!owed) return;
        Volatile.Write(ref _flushOwed, 1);
        Touched?.Invoke(this);
    }
}
