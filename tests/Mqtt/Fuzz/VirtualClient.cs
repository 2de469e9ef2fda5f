using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Fuzz;

/// <summary>
/// One connection of the fuzzer: knows what it sent, and so what the broker may and must send. Everything it objects to is an
/// <see cref="InvalidOperationException"/>.
/// </summary>
internal sealed class VirtualClient(MemoryWire wire, BrokerLimits limits)
{
    private readonly Dictionary<ushort, QoS> _inFlight = [];
    private readonly HashSet<ushort> _early = [];
    private readonly List<AckPacket> _owed = [];
    private readonly Dictionary<(PacketType Answer, ushort Id), int> _due = [];
    private readonly MemoryStream _sent = new();
    private byte[] _received = [];
    private ConnectPacket? _connect;
    private AliasTable _aliases = new(0);
    private int? _level;
    private bool _accepted;
    private int _pings;

    public MemoryWire Wire => wire;

    /// <summary>In which the broker speaks to it: of a CONNECT that is bad what its level says.</summary>
    public ProtocolVersion Version => _connect?.Version ?? (_level >= (int)ProtocolVersion.V5 ? ProtocolVersion.V5 : ProtocolVersion.V311);

    /// <summary>CONNACK came and nothing has ended it.</summary>
    public bool IsUp => _accepted && !HasEnded;

    public bool HasEnded => Said is not null || wire.Finished;

    /// <summary>What the broker's DISCONNECT said.</summary>
    public ReasonCode? Said { get; private set; }

    /// <summary>Why the decoder refuses what was sent; null while it does not. The connection has to end for it.</summary>
    public ReasonCode? Bad { get; private set; }

    public List<AckPacket> Owed => _owed;

    /// <summary>Tells what is about to be fed.</summary>
    public void WillSend(ReadOnlySpan<byte> bytes)
    {
        _sent.Write(bytes);
        var all = _sent.ToArray().AsSpan();
        while (Bad is null && !all.IsEmpty)
        {
            var limit = _connect is null ? limits.ConnectPacketBytesMax : limits.PacketBytesMax;
            var status = Frame.TryRead(all, limit, out var frame);
            if (status == FrameStatus.Incomplete) break;
            if (status != FrameStatus.Complete)
            {
                Bad = BrokerConnection.ReasonOf(status);
                break;
            }

            var body = all.Slice(frame.BodyStart, frame.BodyBytes);
            var failure = PacketDecoder.Decode(frame.First, body, _connect?.Version ?? ProtocolVersion.V5, out var packet);
            if (_connect is null) _level = ConnectDecoder.LevelOf(body);
            if (failure != ReasonCode.Success) Bad = failure;
            else Note(packet!);
            all = all[frame.TotalBytes..];
        }

        _sent.SetLength(0);
        _sent.Write(all);
    }

    /// <summary>Reads what the broker sent, and objects to what it must not.</summary>
    public void Check()
    {
        _received = [.. _received, .. wire.TakeSent()];
        while (_received.Length > 0)
        {
            var status = Frame.TryRead(_received, int.MaxValue, out var frame);
            if (status == FrameStatus.Incomplete) break;
            Require(status == FrameStatus.Complete, "the broker sent no packet");
            var body = _received.AsSpan(frame.BodyStart, frame.BodyBytes);
            var failure = PacketDecoder.Decode(frame.First, body, Version, out var packet);
            var hex = failure == ReasonCode.Success ? "" : Convert.ToHexString(_received.AsSpan(0, frame.TotalBytes));
            Require(failure == ReasonCode.Success, $"the broker sent a packet that is {failure}: {hex}");
            if (_connect?.Properties.MaximumPacketBytes is { } most) Require(frame.TotalBytes <= most, $"{packet!.Type} is larger than {most}");
            _received = _received[frame.TotalBytes..];
            Receive(packet!);
        }

        if (!wire.IsStalled) _early.Clear();
        if (Bad is { } bad && _accepted)
        {
            Require(HasEnded || !wire.IsIdle, $"the connection lives on after {bad}");
            if (Said is { } said) Require(said == bad || IsOther(said), $"the packet was {bad}, the broker says {said}");
        }

        if (wire.Finished) Require(_received.Length == 0, "the connection ended within a packet");
    }

    /// <summary>Ends that the decoder does not foresee, because they depend on what went before.</summary>
    private static bool IsOther(ReasonCode reason) => reason is ReasonCode.ProtocolError or ReasonCode.ReceiveMaximumExceeded
        or ReasonCode.TopicAliasInvalid or ReasonCode.SessionTakenOver or ReasonCode.KeepAliveTimeout or ReasonCode.QuotaExceeded;

    private void Note(Packet packet)
    {
        switch (packet)
        {
            case ConnectPacket connect when _connect is null: _connect = connect; break;
            case PublishPacket { Message.QoS: QoS.AtLeastOnce } publish: Expect(PacketType.PubAck, publish.PacketId); break;
            case PublishPacket { Message.QoS: QoS.ExactlyOnce } publish: Expect(PacketType.PubRec, publish.PacketId); break;
            case SubscribePacket subscribe: Expect(PacketType.SubAck, subscribe.PacketId); break;
            case UnsubscribePacket unsubscribe: Expect(PacketType.UnsubAck, unsubscribe.PacketId); break;
            case PingPacket: _pings++; break;
            case AckPacket { Type: PacketType.PubRel } release: Expect(PacketType.PubComp, release.PacketId); break;
            case AckPacket { Type: PacketType.PubRec } ack when !ack.Reason.IsFailure(): break;
            case AckPacket ack: Settle(ack); break;
        }
    }

    private void Expect(PacketType answer, ushort id) => _due[(answer, id)] = _due.GetValueOrDefault((answer, id)) + 1;

    private void Settle(AckPacket ack)
    {
        var qos = ack.Type == PacketType.PubAck ? QoS.AtLeastOnce : QoS.ExactlyOnce;
        if (!_inFlight.TryGetValue(ack.PacketId, out var sent)) _early.Add(ack.PacketId);
        else if (sent == qos) _inFlight.Remove(ack.PacketId);
    }

    private void Receive(Packet packet)
    {
        Require(Said is null, $"{packet.Type} after DISCONNECT");
        if (packet is ConnAckPacket answer)
        {
            Require(!_accepted, "a second CONNACK");
            _accepted = !answer.Reason.IsFailure();
            if (!_accepted) return;
            Require(_connect is not null, "CONNACK for a bad CONNECT");
            Require(!(_connect!.CleanStart && answer.SessionPresent), "a session after a clean start");
            _aliases = new AliasTable(_connect!.Properties.TopicAliasMaximum ?? 0);
            return;
        }

        Require(_accepted || packet is ReasonPacket, $"{packet.Type} before CONNACK");
        switch (packet)
        {
            case PublishPacket publish: Receive(publish); break;
            case AckPacket { Type: PacketType.PubRel } release:
                // Also again after a reconnect, which this connection does not know of.
                _owed.Add(Messages.Ack(PacketType.PubComp, release.PacketId));
                break;
            case AckPacket ack: Answers(ack.Type, ack.PacketId); break;
            case SubAckPacket ack: Answers(ack.Type, ack.PacketId); break;
            case PingPacket: Require(--_pings >= 0, "PINGRESP without PINGREQ"); break;
            case ReasonPacket { Type: PacketType.Disconnect } disconnect:
                Require(Version == ProtocolVersion.V5, "DISCONNECT to a client of 3.1.1");
                Said = disconnect.Reason;
                break;
            case ReasonPacket: break;
            default: throw new InvalidOperationException($"the broker sent {packet.Type}");
        }
    }

    private void Receive(PublishPacket publish)
    {
        Require(_aliases.Resolve(ref publish) == ReasonCode.Success, "an alias that is not known");
        Require(EdgeFirmware.Mqtt.Topics.TopicName.IsValid(publish.Message.Topic), "a topic that is none");
        var qos = publish.Message.QoS;
        if (qos == QoS.AtMostOnce) return;
        // Acknowledged by a guess before it was seen: whether the broker took that is not known.
        if (_early.Contains(publish.PacketId)) return;
        Require(_inFlight.TryAdd(publish.PacketId, qos), $"packet id {publish.PacketId} is in use");
        var most = Math.Min(limits.InFlightMax, (int)(_connect!.Properties.ReceiveMaximum ?? ushort.MaxValue));
        Require(_inFlight.Count <= most, $"{_inFlight.Count} in flight, {most} allowed");
        _owed.Add(Messages.Ack(qos == QoS.AtLeastOnce ? PacketType.PubAck : PacketType.PubRec, publish.PacketId));
        if (_owed.Count > 40) _owed.RemoveAt(0);
    }

    private void Answers(PacketType type, ushort id)
    {
        var left = _due.GetValueOrDefault((type, id));
        Require(left > 0, $"{type} {id} answers nothing");
        _due[(type, id)] = left - 1;
    }

    private static void Require(bool holds, string what)
    {
        if (!holds) throw new InvalidOperationException(what);
    }
}
