using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Messaging;
using EdgeFirmware.Mqtt;
using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Workloads.Custody;

namespace EdgeFirmware.Firmware.Broker;

/// <summary>Joins the broker and the custody of workloads' messages: shows each what the other needs to know.</summary>
internal sealed class WorkloadTap : IBrokerTap, INodeBroker
{
    private readonly Dictionary<(string ClientId, string Filter), byte> _inputs = [];
    private readonly Queue<(SensorMessage Message, PublishHold Hold)> _early = new();
    private readonly Lock _gate = new();
    private volatile CustodyDesk? _custody;

    /// <summary>Set once the broker is made, before it listens to anybody else than itself.</summary>
    public MqttBroker? Broker { get; set; }

    /// <summary>The site's workloads are known: custody begins, first of what came before. Until then subscribers are served as ever, but what
    /// may be some workload's input is not acknowledged.</summary>
    public void Open(CustodyDesk custody)
    {
        while (_custody is null)
        {
            (SensorMessage Message, PublishHold Hold) early;
            lock (_gate)
                if (!_early.TryDequeue(out early))
                {
                    _custody = custody;
                    return;
                }
            Broker!.Change(() => Take(custody, early.Message, early.Hold));
        }
    }

    public TapVerdict OnPublish(ClientInfo publisher, MqttMessage message, PublishHold hold)
    {
        if (_custody is not { } custody)
            lock (_gate)
            {
                custody = _custody!;
                if (custody is null)
                {
                    KeepEarly(message, hold);
                    return TapVerdict.Route;
                }
            }
        var workload = WorkloadOf(publisher);
        if (workload is null && custody.IsIdle) return TapVerdict.Route;
        var input = MessageMapping.ToSensorMessage(message);
        var verdict = message.QoS == QoS.AtMostOnce
            ? custody.OnPublish(workload, input, null)
            : custody.OnPublish(
                workload, input, () => Defer(hold), change => hold.With(() =>
                {
                    change();
                    hold.Keep();
                }));
        return verdict switch
        {
            CustodyVerdict.Route => TapVerdict.Route,
            CustodyVerdict.Taken => TapVerdict.Taken,
            _ => TapVerdict.Refused,
        };
    }

    public SubscribeVerdict OnSubscribe(ClientInfo client, string filter, SubscriptionOptions options)
    {
        if (WorkloadOf(client) is not { } workload || _custody?.OnSubscribe(workload, client.ClientId, filter, (byte)options.MaximumQoS) != true)
            return SubscribeVerdict.Normal;
        lock (_gate)
            _inputs[(client.ClientId, filter)] = (byte)options.MaximumQoS;
        return SubscribeVerdict.Elsewhere;
    }

    public void OnUnsubscribe(ClientInfo client, string filter)
    {
        lock (_gate)
            _inputs.Remove((client.ClientId, filter));
    }

    public void OnConnected(ClientInfo client, bool sessionPresent)
    {
        if (!sessionPresent || WorkloadOf(client) is not { } workload)
            return;
        byte? qos = null;
        lock (_gate)
            foreach (var ((clientId, _), granted) in _inputs)
                if (clientId == client.ClientId)
                    qos = Math.Max(qos ?? 0, granted);
        if (qos is { } resumed)
            _custody?.OnResumed(workload, client.ClientId, resumed);
    }

    public void OnDisconnected(ClientInfo client, ReasonCode reason)
    {
        if (WorkloadOf(client) is { } workload)
            _custody?.OnDisconnected(workload, client.ClientId);
    }

    public void OnSessionEnded(ClientInfo client)
    {
        lock (_gate)
            foreach (var key in _inputs.Keys) // removing while enumerating is allowed since .NET Core 3.0
                if (key.ClientId == client.ClientId)
                    _inputs.Remove(key);
    }

    void INodeBroker.InOneStep(Action changes, Action? kept) => Broker!.Change(changes, kept);

    IMessageStore INodeBroker.OpenStore(string name) => new InletStore(Broker!.OpenQueue(name));

    void INodeBroker.DeleteStore(string name) => Broker!.DeleteQueue(name);

    bool INodeBroker.IsFull => Broker!.DiskIsFull;

    void INodeBroker.Publish(SensorMessage message) => Broker!.Publish(MessageMapping.ToMqttMessage(message));

    void INodeBroker.Deliver(string clientId, SensorMessage message, byte qos, Action<bool> settled) =>
        Broker!.Deliver(clientId, MessageMapping.ToMqttMessage(message), (QoS)qos, outcome => settled(outcome switch
        {
            // A refusal or a drop is the end of it too: given again, it would be refused again, for ever.
            DeliveryOutcome.Acknowledged or DeliveryOutcome.Refused or DeliveryOutcome.Dropped => true,
            _ => false,
        }));

    void INodeBroker.Evict(string clientId, string why) => Broker!.EndSession(clientId);

    /// <summary>Its acknowledgement waits already; it goes now, or when the inlet has room.</summary>
    private static void Take(CustodyDesk custody, SensorMessage message, PublishHold hold)
    {
        var isHeld = false;
        var verdict = custody.OnPublish(
            null,
            message,
            () =>
            {
                isHeld = true;
                return () => hold.Complete();
            },
            change =>
            {
                change();
                hold.Keep();
            });
        if (!isHeld)
            hold.Complete(verdict == CustodyVerdict.Refused ? ReasonCode.QuotaExceeded : ReasonCode.Success);
    }

    private static Action Defer(PublishHold hold)
    {
        hold.Defer();
        return () => hold.Complete();
    }

    /// <summary>Bounded by what senders may have unacknowledged. QoS 0 may be lost, and is.</summary>
    private void KeepEarly(MqttMessage message, PublishHold hold)
    {
        if (message.QoS == QoS.AtMostOnce)
            return;
        hold.Defer();
        _early.Enqueue((MessageMapping.ToSensorMessage(message), hold));
    }

    private static WorkloadId? WorkloadOf(ClientInfo client) => client.Principal.Tag as WorkloadId?;
}
