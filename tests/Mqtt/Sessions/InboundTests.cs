using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Sessions;

namespace EdgeFirmware.Mqtt.Tests.Sessions;

public sealed class InboundTests
{
    private readonly RecordingOutput _output = new();
    private readonly Inbound _inbound = new(new BrokerLimits { ReceiveMax = 3 });
    private readonly SessionLink _link;

    public InboundTests() => _link = new SessionLink(_output, ProtocolVersion.V5);

    [Fact]
    public void A_deferred_acknowledgement_holds_back_the_later_ones_of_its_kind_only()
    {
        Assert.Equal(Admission.Accepted, _inbound.Admit(1, QoS.AtLeastOnce));
        var first = _inbound.Defer(1, QoS.AtLeastOnce);
        _inbound.Admit(2, QoS.AtLeastOnce);
        _inbound.Acknowledge(2, QoS.AtLeastOnce, ReasonCode.Success, _link);
        _inbound.Admit(3, QoS.ExactlyOnce);
        _inbound.Acknowledge(3, QoS.ExactlyOnce, ReasonCode.Success, _link);
        Assert.Equal(["PubRec 3"], _output.Take());

        _inbound.Complete(first, ReasonCode.Success, _link);
        Assert.Equal(["PubAck 1", "PubAck 2"], _output.Take());
    }

    [Fact]
    public void A_repeated_QoS_2_message_is_a_duplicate_until_it_is_released()
    {
        Assert.Equal(Admission.Accepted, _inbound.Admit(1, QoS.ExactlyOnce));
        _inbound.Acknowledge(1, QoS.ExactlyOnce, ReasonCode.Success, _link);
        Assert.Equal(Admission.Duplicate, _inbound.Admit(1, QoS.ExactlyOnce));
        _inbound.Repeat(1, _link);
        Assert.Equal(ReasonCode.Success, _inbound.Release(1));
        Assert.Equal(ReasonCode.PacketIdentifierNotFound, _inbound.Release(1));
        Assert.Equal(Admission.Accepted, _inbound.Admit(1, QoS.ExactlyOnce));
        Assert.Equal(["PubRec 1", "PubRec 1"], _output.Take());
    }

    [Fact]
    public void A_held_QoS_2_message_is_answered_once_even_when_it_is_repeated_on_a_new_connection()
    {
        _inbound.Admit(1, QoS.ExactlyOnce);
        var held = _inbound.Defer(1, QoS.ExactlyOnce);
        _inbound.Repeat(1, _link);
        Assert.Empty(_output.Take());

        _inbound.Detach();
        Assert.Equal(Admission.Duplicate, _inbound.Admit(1, QoS.ExactlyOnce));
        _inbound.Repeat(1, _link);
        Assert.Empty(_output.Take());
        _inbound.Complete(held, ReasonCode.Success, _link);
        Assert.Equal(["PubRec 1"], _output.Take());
    }

    [Fact]
    public void What_was_completed_while_the_client_was_away_is_answered_when_it_repeats()
    {
        _inbound.Admit(1, QoS.ExactlyOnce);
        var held = _inbound.Defer(1, QoS.ExactlyOnce);
        _inbound.Detach();
        _inbound.Complete(held, ReasonCode.Success, null);
        Assert.Equal(Admission.Duplicate, _inbound.Admit(1, QoS.ExactlyOnce));
        _inbound.Repeat(1, _link);
        Assert.Equal(["PubRec 1"], _output.Take());
    }

    [Fact]
    public void A_refused_QoS_2_message_is_a_new_one_when_it_comes_again()
    {
        _inbound.Admit(1, QoS.ExactlyOnce);
        _inbound.Acknowledge(1, QoS.ExactlyOnce, ReasonCode.QuotaExceeded, _link);
        Assert.Equal(["PubRec 1 QuotaExceeded"], _output.Take());
        Assert.Equal(Admission.Accepted, _inbound.Admit(1, QoS.ExactlyOnce));
    }

    [Fact]
    public void The_receive_maximum_counts_both_kinds_and_frees_with_the_acknowledgement()
    {
        _inbound.Admit(1, QoS.AtLeastOnce);
        var held = _inbound.Defer(1, QoS.AtLeastOnce);
        _inbound.Admit(2, QoS.ExactlyOnce);
        _inbound.Admit(3, QoS.ExactlyOnce);
        Assert.Equal(Admission.TooMany, _inbound.Admit(4, QoS.ExactlyOnce));
        Assert.Equal(Admission.TooMany, _inbound.Admit(5, QoS.AtLeastOnce));
        Assert.Equal(Admission.Accepted, _inbound.Admit(0, QoS.AtMostOnce));
        _inbound.Complete(held, ReasonCode.Success, _link);
        Assert.Equal(Admission.Accepted, _inbound.Admit(5, QoS.AtLeastOnce));
    }
}
