using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Sessions;

namespace EdgeFirmware.Mqtt.Client;

/// <summary>One publish of a client, from the call to the broker's answer.</summary>
internal sealed class Publication
{
    private readonly TaskCompletionSource<Task> _admitted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<ReasonCode> _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Publication(MqttMessage message, TimeSpan? expiresAt)
    {
        Outbound = new OutboundMessage(message, message.QoS) { Retain = message.Retain, ExpiresAt = expiresAt };
        Outbound.Settled = Settle;
    }

    public OutboundMessage Outbound { get; }

    /// <summary>The queue has it; the inner task completes when the disk has it too.</summary>
    public Task<Task> Admitted => _admitted.Task;

    public Task<ReasonCode> Answered => _answered.Task;

    /// <summary>False: its publisher did not want to wait that long.</summary>
    public bool Admit(Task durable) => _admitted.TrySetResult(durable);

    /// <summary>It will not be sent, and not kept.</summary>
    public void Refuse(ReasonCode reason)
    {
        _answered.TrySetResult(reason);
        _admitted.TrySetResult(Task.CompletedTask);
    }

    public void Fail(MqttException cause)
    {
        _answered.TrySetException(cause);
        _admitted.TrySetException(cause);
        // Whoever waits only for one of the two need not look at the other.
        _ = _answered.Task.Exception;
        _ = _admitted.Task.Exception;
    }

    /// <summary>What the broker answered, or why it was not asked.</summary>
    public static ReasonCode ReasonOf(OutboundMessage message, DeliveryOutcome outcome) =>
        outcome == DeliveryOutcome.Dropped && message.Reason == ReasonCode.Success ? ReasonCode.QuotaExceeded : message.Reason;

    /// <summary>Its publisher no longer waits. True when it was not admitted before and will not be.</summary>
    public bool Withdraw() => _admitted.TrySetCanceled();

    private void Settle(DeliveryOutcome outcome)
    {
        if (outcome is DeliveryOutcome.SessionEnded) Fail(new MqttException("The connection was lost."));
        else _answered.TrySetResult(ReasonOf(Outbound, outcome));
    }
}
