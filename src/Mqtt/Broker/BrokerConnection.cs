using EdgeFirmware.Mqtt.Durability;
using EdgeFirmware.Mqtt.Packets;
using EdgeFirmware.Mqtt.Transport;

namespace EdgeFirmware.Mqtt.Broker;

/// <summary>
/// One network connection: reads, frames and decodes; hands all packets of one receive to <see cref="PacketDispatch"/> in one turn;
/// closes with the right reason. A broken connection is normal and ends it quietly.
/// </summary>
internal sealed partial class BrokerConnection : IClientConnection, IWriterOwner, ICommitWaiter
{
    private const int TurnsBeforeYield = 4;

    /// <summary>The next packet is in the buffer already, and waits for its turn.</summary>
    private const int NextIsHere = -1;

    private readonly MqttBroker _broker;
    private readonly Wire _wire;
    private readonly PacketWriter _writer;
    private readonly ReceiveBuffer _buffer;
    private string _lastTopic = "";
    private PacketDispatch? _dispatch;
    private ReasonCode? _aborted;

    /// <summary>Set while it is not read from; completing it ends that.</summary>
    private TaskCompletionSource? _pausing;

    /// <summary>
    /// Its last packet was written: nothing may follow a DISCONNECT [MQTT-3.14.4-1]. What is given to it until its session knows counts as
    /// lost with the connection.
    /// </summary>
    private bool _saidGoodbye;

    /// <summary>Broker time of the last bytes in ticks; the keep-alive counts from here. A long, because 32-bit reads tear a TimeSpan.</summary>
    private long _lastReceivedAt;

    public BrokerConnection(MqttBroker broker, Wire wire, string remoteAddress, bool trusted)
    {
        _broker = broker;
        _wire = wire;
        RemoteAddress = remoteAddress;
        Trusted = trusted;
        _writer = new PacketWriter(wire, this);
        _buffer = new ReceiveBuffer(broker.Core.Counters, broker.Options.Limits.HeldBytesMax / 4);
        ConnectedAt = broker.Core.Now;
        _lastReceivedAt = ConnectedAt.Ticks;
    }

    public bool Trusted { get; }

    /// <summary>Address and port, or "unix".</summary>
    public string RemoteAddress { get; }

    public Wire Wire => _wire;

    public TransportKind Transport => _wire.Kind;

    public TimeSpan ConnectedAt { get; }

    public TimeSpan? KeepAlive => _dispatch?.KeepAlive;

    /// <summary>What <see cref="RunAsync"/> returned: completes when the socket is closed and the session knows.</summary>
    public Task Running { get; set; } = Task.CompletedTask;

    /// <summary>Unknown until CONNECT; 3.1.1 until then, so that a refusal without a version is the short form.</summary>
    public ProtocolVersion Version { get; private set; } = ProtocolVersion.V311;

    public MqttBroker Broker => _broker;

    public ReasonCode? Aborted => _aborted;

    /// <summary>Null until CONNECT was accepted; set before the client hears of that.</summary>
    public PacketDispatch? Dispatch
    {
        get => _dispatch;
        set => _dispatch = value;
    }

    /// <summary>Not accepted yet, and not on its way out.</summary>
    public bool IsHandshaking => _dispatch is null && _aborted is null;

    public int UnsentBytes => _writer.UnsentBytes;

    public int PendingBytes => UnsentBytes;

    /// <inheritdoc cref="EventLoop.Flush"/>
    public void Flush() => EventLoop.Flush(_writer);

    public bool NotifyWhenSent() => _writer.NotifyWhenSent();

    /// <summary>The largest packet the client takes.</summary>
    public uint PacketBytesMax { get; set; } = uint.MaxValue;

    /// <summary>The client wants reason strings also where it is not about the connection [MQTT-3.1.2-29].</summary>
    public bool ProblemInformation { get; set; } = true;

    public bool TakesReasonStrings => ProblemInformation && Version == ProtocolVersion.V5;

    public void Write(Packet packet) => TryWrite(packet);

    /// <summary>Without its explanations when it is too large with them; false, and not at all, when also then [MQTT-3.1.2-24].</summary>
    public bool TryWrite(Packet packet)
    {
        if (_saidGoodbye) return true;
        _saidGoodbye = packet.Type == PacketType.Disconnect;
        var turn = _broker.Core.Current!;
        if (turn.Appended) AwaitCommit();
        var written = _writer.TryWrite(packet, Version, PacketBytesMax, out var flushOwed);
        if (!written && packet.Properties.ReasonString is not null)
        {
            packet.Properties.ReasonString = null;
            written = _writer.TryWrite(packet, Version, PacketBytesMax, out flushOwed);
        }

        if (written) _broker.Core.Counters.PacketsOut++;
        if (flushOwed) turn.Touch(this);
        return written;
    }

    public void WriteAck(PacketType type, ushort packetId, ReasonCode reason)
    {
        if (_saidGoodbye) return;
        var turn = _broker.Core.Current!;
        _broker.Core.Counters.PacketsOut++;
        if (turn.Appended) AwaitCommit();
        if (_writer.WriteAck(type, packetId, reason, Version)) turn.Touch(this);
    }

    public void AwaitCommit() => _broker.Core.Journal?.Hold(this);

    public bool HoldUntil(long commit) => _writer.HoldUntil(commit);

    public void Committed(long commit)
    {
        if (_writer.Release(commit)) Flush();
    }

    public bool TryWritePublish(in OutgoingPublish publish, uint packetBytesMax)
    {
        if (_saidGoodbye) return true;
        var written = _writer.TryWritePublish(publish, Version, packetBytesMax, out var flushOwed);
        if (written)
        {
            _broker.Core.Counters.PacketsOut++;
            _broker.Core.Counters.PayloadBytesOut += publish.Message.Payload.Length;
        }

        if (flushOwed) _broker.Core.Current!.Touch(this);
        return written;
    }

    /// <summary>Silent for one and a half keep-alives [MQTT-3.1.2-22], or without CONNECT for too long.</summary>
    public bool IsOverdue(TimeSpan now)
    {
        if (_dispatch is not { } dispatch) return now - ConnectedAt > _broker.Options.Limits.ConnectTimeout;
        var silence = now - TimeSpan.FromTicks(Volatile.Read(ref _lastReceivedAt));
        return dispatch.KeepAlive > TimeSpan.Zero && silence > 1.5 * dispatch.KeepAlive;
    }

    /// <summary>Serves the connection until it ends. One state machine for an idle connection, because there are many of those.</summary>
    public async Task RunAsync()
    {
        var reason = ReasonCode.UnspecifiedError;
        try
        {
            // Off the accept loop.
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            try
            {
                _dispatch = await ConnectHandshake.RunAsync(this, version => Version = version);
            }
            finally
            {
                _broker.HandshakeEnded();
            }

            // What came with the CONNECT already waits too.
            if (_dispatch?.TakePause() is { } owed) await PauseAsync(owed);
            for (var turns = 1; _dispatch is not null; turns++)
            {
                // A peer that always has more would otherwise keep its thread from the other connections.
                if (turns % TurnsBeforeYield == 0) await _wire.YieldAsync();
                var wanted = ConsumePackets(_dispatch);
                if (_dispatch.Ended is { } ended)
                {
                    reason = ended;
                    break;
                }

                // A client that does not read what it is owed is not read from either.
                if (UnsentBytes > _broker.Options.Limits.OutboundBytesMax) await _writer.WhenSent();
                if (_broker.Core.Journal?.Behind is { } behind) await behind.WaitAsync(_broker.Stopping);
                if (_dispatch.TakePause() is { } pause) await PauseAsync(pause);
                if (wanted == NextIsHere) continue;
                if (IsTooMuch(wanted))
                {
                    _broker.Core.Counters.Hit(BrokerLimit.HeldBytes);
                    reason = ReasonCode.QuotaExceeded;
                    _dispatch.Refuse(reason);
                    break;
                }

                if (_buffer.IsEmpty) await _wire.ReceiveAsync(Memory<byte>.Empty);
                if (Received(await _wire.ReceiveAsync(_buffer.Prepare(wanted))) == 0) break;
            }
        }
        catch (Exception failure) when (Wire.IsGone(failure) || failure is OperationCanceledException)
        {
            MqttLog.ConnectionBroke(_broker.Logger, RemoteAddress, failure.Message);
        }
        catch (Exception bug)
        {
            _broker.Fail(bug);
            throw;
        }
        finally
        {
            Leave(reason);
        }

        if (_aborted is null && reason.IsFailure()) await DrainAsync();
        await CloseAsync();
        _broker.Remove(this);
    }

    /// <summary>Its client's quotas may be others now: reads on, and counts anew.</summary>
    public void Resume() => _pausing?.TrySetResult();

    /// <summary>The next whole packet's frame, before there is a session to dispatch it to; null when the peer closed.</summary>
    public async Task<(FrameStatus Status, Frame Frame)?> ReceiveFrameAsync(int packetBytesMax)
    {
        while (true)
        {
            var status = Frame.TryRead(_buffer.Received, packetBytesMax, out var frame);
            if (status == FrameStatus.TooLarge) _broker.Core.Counters.Hit(BrokerLimit.ConnectPacketBytes);
            if (status != FrameStatus.Incomplete) return (status, frame);
            if (IsTooMuch(frame.TotalBytes))
            {
                _broker.Core.Counters.Hit(BrokerLimit.HeldBytes);
                return null;
            }

            if (Received(await _buffer.ReceiveAsync(_wire, frame.TotalBytes), committed: true) == 0) return null;
        }
    }

    /// <summary>Takes the packet that <see cref="ReceiveFrameAsync"/> found.</summary>
    /// <param name="protocolLevel">The version a CONNECT claims, also when the rest of it is bad; null when it is none.</param>
    public ReasonCode Take(Frame frame, out Packet? packet, out int? protocolLevel)
    {
        var body = _buffer.Received.Slice(frame.BodyStart, frame.BodyBytes);
        protocolLevel = ConnectDecoder.LevelOf(body);
        var failure = PacketDecoder.Decode(frame.First, body, ProtocolVersion.V5, out packet);
        _buffer.Consume(frame.TotalBytes);
        return failure;
    }

    public void OnEncoded(int bytes) => _broker.Core.Counters.BytesEncoded += bytes;

    public void OnSent(int bytes) => _broker.Core.Counters.AddBytesOut(bytes);

    public void OnDiscarded(int bytes) => _broker.Core.Counters.AddBytesDiscarded(bytes);

    public void OnDrained()
    {
        if (_dispatch is not { } dispatch) return;
        using var turn = _broker.Core.Enter();
        if (ReferenceEquals(dispatch.Session.Link, dispatch.Link)) dispatch.Session.Pump(turn.Now, turn.Settled);
    }

    /// <summary>Does not read for a while, in which the client cannot be told to be silent.</summary>
    private async Task PauseAsync(TimeSpan pause)
    {
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using (var turn = _broker.Core.Enter())
        {
            if (_aborted is not null) return;
            Volatile.Write(ref _lastReceivedAt, (turn.Now + pause).Ticks);
            _pausing = over;
        }

        await using var timer = _broker.Options.TimeProvider.CreateTimer(
            static paused => ((TaskCompletionSource)paused!).TrySetResult(), over, pause, Timeout.InfiniteTimeSpan);
        await over.Task;
        _pausing = null;
        Volatile.Write(ref _lastReceivedAt, _broker.Core.Now.Ticks);
    }

    /// <summary>Other clients' unfinished packets have taken the room for one as large as this.</summary>
    private bool IsTooMuch(int packetBytes) =>
        packetBytes > ReceiveBuffer.SmallestRentBytes
        && _broker.Core.Counters.ReceivingBytes + packetBytes > _broker.Options.Limits.HeldBytesMax / 2;

    /// <summary>Counts and stamps what came.</summary>
    private int Received(int bytes, bool committed = false)
    {
        if (!committed) _buffer.Commit(bytes);
        _broker.Core.Counters.AddBytesIn(bytes);
        Volatile.Write(ref _lastReceivedAt, _broker.Core.Now.Ticks);
        return bytes;
    }

    /// <summary>
    /// Dispatches every whole packet received, or as many as may come at once. Returns what the next one needs in bytes, as far as known, or
    /// <see cref="NextIsHere"/>.
    /// </summary>
    private int ConsumePackets(PacketDispatch dispatch)
    {
        if (_buffer.Received.IsEmpty) return 0;
        var wanted = 0;
        var consumed = 0;
        var failure = ReasonCode.Success;
        var publishesLeft = dispatch.PublishesAtOnce;
        var arrivals = PacketDispatch.Rent();
        while (failure == ReasonCode.Success)
        {
            var status = Frame.TryRead(_buffer.Received[consumed..], dispatch.PacketBytesMax, out var frame);
            if (status != FrameStatus.Complete)
            {
                if (status == FrameStatus.TooLarge) dispatch.CountTooLarge();
                failure = ReasonOf(status);
                wanted = frame.TotalBytes;
                break;
            }

            if (frame.First >> 4 == (int)PacketType.Publish && publishesLeft-- == 0)
            {
                wanted = NextIsHere;
                break;
            }

            var body = _buffer.Received.Slice(consumed + frame.BodyStart, frame.BodyBytes);
            failure = PacketDecoder.Decode(frame.First, body, Version, out var packet, _lastTopic);
            if (packet is PublishPacket { Message.Topic: { Length: > 0 } topic }) _lastTopic = topic;
            if (failure == ReasonCode.Success) failure = dispatch.Prepare(packet!, arrivals);
            // A second one, whatever is wrong with it [MQTT-3.1.0-2]; what is said of a bad first one has no place in a DISCONNECT.
            else if (frame.First >> 4 == (int)PacketType.Connect) failure = ReasonCode.ProtocolError;
            consumed += frame.TotalBytes;
        }

        if (failure != ReasonCode.Success) MqttLog.MalformedPacket(_broker.Logger, dispatch.ClientId, failure);
        _buffer.Consume(consumed);
        dispatch.Run(arrivals, failure);
        return wanted;
    }

    public static ReasonCode ReasonOf(FrameStatus status) => status switch
    {
        FrameStatus.Malformed => ReasonCode.MalformedPacket,
        FrameStatus.TooLarge => ReasonCode.PacketTooLarge,
        _ => ReasonCode.Success,
    };
}
