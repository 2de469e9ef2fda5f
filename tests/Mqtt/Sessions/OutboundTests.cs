using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Packets;
using EdgeFirmware.Mqtt.Sessions;

namespace EdgeFirmware.Mqtt.Tests.Sessions;

public sealed class OutboundTests
{
    private readonly BrokerLimits _limits = new() { QueuedMessagesMax = 4, QueuedBytesMax = 100_000, OutboundBytesMax = 1000 };
    private readonly BrokerCounters _counters = new();
    private readonly RecordingOutput _output = new();
    private readonly List<Settlement> _settled = [];
    private readonly List<string> _outcomes = [];
    private readonly Outbound _outbound;
    private readonly SessionLink _link;
    private TimeSpan _now;

    public OutboundTests()
    {
        _outbound = new Outbound(_limits, _counters);
        _link = Link(receiveMaximum: 2);
    }

    [Fact]
    public void The_window_holds_back_what_the_client_did_not_ask_for_yet()
    {
        foreach (var name in new[] { "a", "b", "c", "d" }) Deliver(name, QoS.AtLeastOnce, _link);
        Assert.Equal(["a 1", "b 2"], _output.Take());
        Acknowledge(1, QoS.AtLeastOnce);
        Assert.Equal(["c 3"], _output.Take());
        Acknowledge(2, QoS.AtLeastOnce);
        Acknowledge(3, QoS.AtLeastOnce);
        Acknowledge(4, QoS.AtLeastOnce);
        Assert.Equal(["d 4"], _output.Take());
        Assert.Equal(["a Acknowledged", "b Acknowledged", "c Acknowledged", "d Acknowledged"], Outcomes());
        Assert.Equal(0, _outbound.InFlight);
    }

    [Fact]
    public void QoS_2_goes_through_its_four_steps_and_holds_its_place_in_the_window_until_the_last()
    {
        foreach (var name in new[] { "a", "b", "c" }) Deliver(name, QoS.ExactlyOnce, _link);
        Assert.True(_outbound.Receive(1, ReasonCode.Success, _link, _settled));
        Assert.Equal(["a 1", "b 2", "PubRel 1"], _output.Take());
        Acknowledge(1, QoS.ExactlyOnce);
        Assert.Equal(["c 3"], _output.Take());
        Assert.Equal(["a Acknowledged"], Outcomes());
    }

    [Fact]
    public void A_refused_message_frees_its_place_and_reports_it()
    {
        Deliver("a", QoS.ExactlyOnce, _link);
        Deliver("b", QoS.AtLeastOnce, _link);
        Deliver("c", QoS.AtLeastOnce, _link);
        _outbound.Receive(1, ReasonCode.QuotaExceeded, _link, _settled);
        _outbound.Acknowledge(2, QoS.AtLeastOnce, ReasonCode.NotAuthorized, _settled);
        _outbound.Pump(_link, _now, _settled);
        Assert.Equal(["a 1", "b 2", "c 3"], _output.Take());
        Assert.Equal(["a Refused", "b Refused"], Outcomes());
    }

    [Fact]
    public void After_a_reconnect_everything_unacknowledged_is_repeated_in_its_first_order()
    {
        var wide = Link(receiveMaximum: 10);
        foreach (var name in new[] { "a", "b", "c" }) Deliver(name, QoS.ExactlyOnce, wide);
        _outbound.Receive(2, ReasonCode.Success, wide, _settled);
        _output.Take();

        Deliver("d", QoS.AtLeastOnce, null);
        _outbound.Attach(wide, _now, _settled);
        Assert.Equal(["PubRel 2", "a 1 dup", "c 3 dup", "d 4"], _output.Take());
    }

    [Fact]
    public void A_reconnect_with_a_smaller_window_repeats_step_by_step()
    {
        var wide = Link(receiveMaximum: 10);
        foreach (var name in new[] { "a", "b", "c" }) Deliver(name, QoS.AtLeastOnce, wide);
        _output.Take();
        var narrow = Link(receiveMaximum: 1);
        _outbound.Attach(narrow, _now, _settled);
        Assert.Equal(["a 1 dup"], _output.Take());
        _outbound.Acknowledge(1, QoS.AtLeastOnce, ReasonCode.Success, _settled);
        _outbound.Pump(narrow, _now, _settled);
        Assert.Equal(["b 2 dup"], _output.Take());
    }

    [Fact]
    public void The_queue_of_an_absent_client_is_bounded_and_QoS_0_is_not_kept()
    {
        for (var i = 0; i < 6; i++) Deliver($"m{i}", QoS.AtLeastOnce, null);
        Deliver("zero", QoS.AtMostOnce, null);
        Assert.Equal(4, _outbound.QueuedMessages);
        Assert.Equal(["m4 Dropped", "m5 Dropped", "zero Dropped"], Outcomes());
        Assert.Equal(3, _counters.MessagesDropped);
    }

    [Fact]
    public void The_queue_is_bounded_in_bytes_too()
    {
        Deliver(new string('x', 60_000), QoS.AtLeastOnce, null);
        Deliver(new string('y', 60_000), QoS.AtLeastOnce, null);
        Assert.Equal(1, _outbound.QueuedMessages);
    }

    [Fact]
    public void A_full_connection_drops_routed_QoS_0_and_lets_the_rest_wait_until_it_is_sent()
    {
        _output.UnsentBytes = 1000;
        Assert.False(_outbound.TrySendNow(new OutgoingPublish { Message = Messages.Message("t", "routed") }, _link));
        Deliver("kept", QoS.AtLeastOnce, _link);
        Assert.Empty(_output.Take());
        Assert.True(_output.WasAskedToNotify);

        _output.UnsentBytes = 0;
        _outbound.Pump(_link, _now, _settled);
        Assert.Equal(["kept 1"], _output.Take());
        Assert.Equal(1, _counters.MessagesDropped);
    }

    [Fact]
    public void Messages_carry_what_is_left_of_their_life_and_are_dropped_after_it()
    {
        Deliver("long", QoS.AtLeastOnce, null, expirySeconds: 10);
        Deliver("short", QoS.AtLeastOnce, null, expirySeconds: 2);
        _now = TimeSpan.FromSeconds(3);
        _outbound.Attach(_link, _now, _settled);
        Assert.Equal(["long 1 7s"], _output.Take());
        Assert.Equal(["short Dropped"], Outcomes());
    }

    [Fact]
    public void A_message_the_client_cannot_take_is_dropped_and_costs_no_place()
    {
        var small = Link(receiveMaximum: 2, packetBytesMax: 10);
        Deliver(new string('x', 11), QoS.AtLeastOnce, small);
        Deliver("fits", QoS.AtLeastOnce, small);
        Assert.StartsWith("fits", Assert.Single(_output.Take()), StringComparison.Ordinal);
        Assert.Equal(1, _outbound.InFlight);
    }

    [Fact]
    public void The_end_of_a_session_settles_everything_exactly_once()
    {
        Deliver("flying", QoS.AtLeastOnce, _link);
        Deliver("flying2", QoS.ExactlyOnce, _link);
        Deliver("waiting", QoS.AtLeastOnce, _link);
        _outbound.End(_settled);
        _outbound.End(_settled);
        Assert.Equal(["flying SessionEnded", "flying2 SessionEnded", "waiting SessionEnded"], Outcomes());
    }

    [Fact]
    public void Acknowledgements_for_nothing_or_of_the_wrong_kind_change_nothing()
    {
        Deliver("a", QoS.ExactlyOnce, _link);
        Assert.False(_outbound.Acknowledge(7, QoS.AtLeastOnce, ReasonCode.Success, _settled));
        Assert.False(_outbound.Acknowledge(1, QoS.AtLeastOnce, ReasonCode.Success, _settled));
        Assert.False(_outbound.Receive(9, ReasonCode.Success, _link, _settled));
        Assert.Equal(1, _outbound.InFlight);
    }

    [Fact]
    public void Packet_ids_wrap_around_those_in_flight()
    {
        var wide = Link(receiveMaximum: 10);
        Deliver("stays", QoS.AtLeastOnce, wide);
        for (var i = 2; i <= 65535; i++)
        {
            Deliver("x", QoS.AtLeastOnce, wide);
            Acknowledge((ushort)i, QoS.AtLeastOnce, wide);
        }

        _output.Take();
        Deliver("next", QoS.AtLeastOnce, wide);
        Assert.Equal(["next 2"], _output.Take());
    }

    [Fact]
    public void Aliases_are_given_first_come_first_served_and_start_anew_with_each_connection()
    {
        for (var connection = 0; connection < 2; connection++)
        {
            var link = new SessionLink(_output, ProtocolVersion.V5) { TopicAliasMax = 1 };
            foreach (var topic in new[] { "t", "t", "u" })
            {
                _outbound.TrySendNow(new OutgoingPublish { Message = Messages.Message(topic) }, link);
            }

            Assert.Equal(["x alias 1 new", "x alias 1", "x"], _output.Take());
        }
    }

    private SessionLink Link(int receiveMaximum, uint packetBytesMax = uint.MaxValue) =>
        new(_output, ProtocolVersion.V5) { ReceiveMaximum = receiveMaximum, PacketBytesMax = packetBytesMax };

    private void Deliver(string payload, QoS qos, SessionLink? link, uint? expirySeconds = null)
    {
        var message = new OutboundMessage(Messages.Message("t", payload, qos), qos)
        {
            ExpiresAt = expirySeconds is { } seconds ? _now + TimeSpan.FromSeconds(seconds) : null,
            Settled = outcome => _outcomes.Add($"{payload} {outcome}"),
        };
        _outbound.Deliver(message, link, _now, _settled);
    }

    private void Acknowledge(ushort id, QoS qos, SessionLink? link = null)
    {
        _outbound.Acknowledge(id, qos, ReasonCode.Success, _settled);
        _outbound.Pump(link ?? _link, _now, _settled);
    }

    private List<string> Outcomes()
    {
        foreach (var (callback, outcome) in _settled) callback(outcome);
        _settled.Clear();
        List<string> taken = [.. _outcomes];
        _outcomes.Clear();
        return taken;
    }
}
