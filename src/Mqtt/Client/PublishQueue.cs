using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Durability;
using EdgeFirmware.Mqtt.Packets;
using EdgeFirmware.Mqtt.Sessions;

namespace EdgeFirmware.Mqtt.Client;

/// <summary>
/// The bounded entrance to a client's sending half: admits publications in the order they came, as there is room in memory and on disk, and
/// refuses or keeps waiting the others. Runs under the client's lock.
/// </summary>
internal sealed class PublishQueue
{
    private readonly MqttClientOptions _options;
    private readonly Queue<Publication> _outside = [];
    private QoS _maximumQoS = QoS.ExactlyOnce;
    private bool _retainAvailable = true;

    public PublishQueue(MqttClientOptions options, BrokerLimits limits, ushort packetIdMax)
    {
        _options = options;
        Outbound = new Outbound(limits, new BrokerCounters(), packetIdMax);
    }

    public Outbound Outbound { get; }

    /// <summary>Null while nothing is kept on disk.</summary>
    public Journal? Journal { get; set; }

    /// <summary>What the CONNACK says the broker does not take.</summary>
    public void Learn(PacketProperties properties)
    {
        _maximumQoS = (QoS)(properties.MaximumQoS ?? (byte)QoS.ExactlyOnce);
        _retainAvailable = properties.RetainAvailable ?? true;
    }

    public void Publish(Publication publication, SessionLink? link, TimeSpan now, List<Settlement> settled)
    {
        if (Objection(publication.Outbound.Message) is var objection && objection != ReasonCode.Success) publication.Refuse(objection);
        else if (_outside.Count == 0 && HasRoomFor(publication)) Admit(publication, link, now, settled);
        else if (_options.WhenQueueIsFull == FullQueue.Refuse) publication.Refuse(ReasonCode.QuotaExceeded);
        else _outside.Enqueue(publication);
    }

    /// <summary>Lets in those who wait, as far as there is room.</summary>
    public void Advance(SessionLink? link, TimeSpan now, List<Settlement> settled)
    {
        while (_outside.TryPeek(out var next) && (next.Admitted.IsCompleted || HasRoomFor(next)))
        {
            _outside.Dequeue();
            if (!next.Admitted.IsCompleted) Admit(next, link, now, settled);
        }
    }

    public void End(MqttException cause, List<Settlement> settled)
    {
        while (_outside.TryDequeue(out var publication)) publication.Fail(cause);
        // What is on disk stays there, for the next process.
        Outbound.Journal = null;
        Outbound.End(settled);
    }

    /// <summary>Why the broker would not take the message, as far as its CONNACK said [MQTT-3.2.2-11, MQTT-3.2.2-14].</summary>
    private ReasonCode Objection(MqttMessage message)
    {
        if (message.QoS > _maximumQoS) return ReasonCode.QoSNotSupported;
        return message.Retain && !_retainAvailable ? ReasonCode.RetainNotSupported : ReasonCode.Success;
    }

    private bool HasRoomFor(Publication publication)
    {
        if (publication.Outbound.QoS != QoS.AtMostOnce && Journal is { IsFull: true }) return false;
        if (Outbound.QueuedMessages == 0) return true;
        return Outbound.QueuedMessages < _options.QueuedMessagesMax
            && Outbound.QueuedBytes + publication.Outbound.Message.QueuedBytes <= _options.QueuedBytesMax;
    }

    private void Admit(Publication publication, SessionLink? link, TimeSpan now, List<Settlement> settled)
    {
        // Before it is journalled: a publisher who has gone does not expect it to be sent.
        var durable = new TaskCompletionSource<Task>();
        if (!publication.Admit(durable.Task.Unwrap())) return;
        Outbound.Deliver(publication.Outbound, link, now, settled);
        durable.SetResult(Journal?.WhenCommitted() ?? Task.CompletedTask);
    }
}
