using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Durability;
using EdgeFirmware.Mqtt.Packets;
using EdgeFirmware.Mqtt.Sessions;

namespace EdgeFirmware.Mqtt.Bridge;

/// <summary>
/// One conversation of a bridge that is carried: what its session writes to, and what acknowledges. The other end takes each message for good or the
/// conversation ends, so that one word from there is all the acknowledgement there is, for QoS 2 as for QoS 1.
/// </summary>
internal sealed class CarriedLink : IPacketOutput, ICommitWaiter
{
    /// <summary>Of a message with everything, less than what a carrier takes.</summary>
    public const int BodyBytesMax = (1 << 20) - 64;

    private const int UsualLane = 1;

    private readonly BrokerCore _core;
    private readonly Session _session;
    private readonly TopicMap _map;
    private readonly IBridgeConversation _conversation;
    private readonly SessionLink _link;
    private readonly Guid _stream;
    private readonly Func<long> _unkept;
    private readonly long[] _last = new long[IBridgeConversation.Lanes];
    private readonly bool[] _hasBegun = new bool[IBridgeConversation.Lanes];
    private readonly Lock _gate = new();
    private readonly Queue<Posting> _held = new();
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _holds;
    private long _committed;
    private int _unsent;

    /// <param name="stream">Whose numbers the session's messages have.</param>
    /// <param name="unkept">Numbers for what is not on disk.</param>
    public CarriedLink(BrokerCore core, Session session, TopicMap map, IBridgeConversation conversation, Guid stream, Func<long> unkept, int aliasMax)
    {
        _core = core;
        _session = session;
        _map = map;
        _conversation = conversation;
        _stream = stream;
        _unkept = unkept;
        _link = new SessionLink(this, ProtocolVersion.V5) { PacketBytesMax = BodyBytesMax, TopicAliasMax = aliasMax };
    }

    public SessionLink Link => _link;

    /// <summary>Completes when a message was lost: another conversation is needed.</summary>
    public Task Over => _over.Task;

    public int UnsentBytes => Volatile.Read(ref _unsent);

    public void Write(Packet packet)
    {
        // There is nothing to say but messages.
    }

    public bool TryWrite(Packet packet) => true;

    public void WriteAck(PacketType type, ushort packetId, ReasonCode reason)
    {
        // A PUBREL after a restart: the other end has the message.
        if (type == PacketType.PubRel) _core.Current!.Call(() => Acknowledge(packetId, QoS.ExactlyOnce, bytes: 0));
    }

    public bool TryWritePublish(in OutgoingPublish publish, uint packetBytesMax)
    {
        // A topic that has left the configuration while it waited keeps its name.
        var topic = _map.ToRemote(publish.Message.Topic) ?? publish.Message.Topic;
        var lane = UsualLane - Math.Sign(_map.PriorityOf(publish.Message.Topic));
        var last = _last[lane];
        var number = publish.QoS == QoS.AtMostOnce ? 0 : publish.Number != 0 ? publish.Number : _unkept();
        var body = CarriedFrame.Encode(publish, topic, _hasBegun[lane] ? null : _stream, number, ref last);
        if (body.Length > packetBytesMax) return false;
        (_last[lane], _hasBegun[lane]) = (last, true);
        Interlocked.Add(ref _unsent, body.Length);
        lock (_gate) _held.Enqueue(new Posting((byte)lane, body, publish.PacketId, publish.QoS, _holds));
        _core.Current!.Touch(this);
        return true;
    }

    public void AwaitCommit() => _core.Journal?.Hold(this);

    public bool HoldUntil(long commit)
    {
        lock (_gate)
        {
            if (_holds >= commit) return false;
            _holds = commit;
            return true;
        }
    }

    public void Committed(long commit)
    {
        lock (_gate) _committed = Math.Max(_committed, commit);
        Flush();
    }

    /// <summary>Each acknowledgement pumps.</summary>
    public bool NotifyWhenSent() => UnsentBytes > 0;

    public void Flush()
    {
        lock (_gate)
        {
            while (_held.TryPeek(out var posting) && posting.Commit <= _committed)
            {
                _held.Dequeue();
                _conversation.Post(posting.Lane, posting.Body, isTaken => Ended(posting, isTaken));
            }
        }
    }

    public void Abort(ReasonCode reason, PacketProperties? explanation = null) => _over.TrySetResult();

    private void Ended(Posting posting, bool isTaken)
    {
        if (isTaken) Acknowledge(posting.PacketId, posting.QoS, posting.Body.Length);
        else _over.TrySetResult();
    }

    private void Acknowledge(ushort packetId, QoS qos, int bytes)
    {
        Interlocked.Add(ref _unsent, -bytes);
        using var turn = _core.Enter();
        if (!ReferenceEquals(_session.Link, _link)) return;
        if (qos != QoS.AtMostOnce) _session.Outbound.Acknowledge(packetId, qos, ReasonCode.Success, turn.Settled);
        _session.Pump(turn.Now, turn.Settled);
    }

    private sealed record Posting(byte Lane, byte[] Body, ushort PacketId, QoS QoS, long Commit);
}
