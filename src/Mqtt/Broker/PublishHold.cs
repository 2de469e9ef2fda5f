namespace EdgeFirmware.Mqtt.Broker;

/// <summary>
/// The acknowledgement of one PUBLISH: PUBACK for QoS 1, PUBREC for QoS 2; for QoS 0 it does nothing. Later acknowledgements of the
/// same kind to the same client wait for an earlier one that is held.
/// </summary>
public sealed class PublishHold
{
    internal static readonly PublishHold None = new(null, null);

    private readonly BrokerCore? _core;
    private readonly Sessions.Session? _session;

    internal PublishHold(BrokerCore? core, Sessions.Session? session)
    {
        _core = core;
        _session = session;
    }

    internal bool IsDeferred { get; private set; }

    internal bool IsKept { get; private set; }

    /// <summary>To be run once the tap has returned, under the broker's lock.</summary>
    internal Action? Change { get; private set; }

    /// <summary>The reason once completed. Under the broker's lock.</summary>
    internal ReasonCode? Outcome { get; set; }

    /// <summary>The place in the acknowledgement order; null until the broker has seen the deferral. Under the broker's lock.</summary>
    internal Sessions.InboundMessage? Pending { get; set; }

    /// <summary>Keeps the acknowledgement back until <see cref="Complete"/>. Only valid before the tap returns.</summary>
    public void Defer()
    {
        if (_core is not null) IsDeferred = true;
    }

    /// <summary>
    /// Makes a change as <see cref="MqttBroker.Change"/> does, as one with what the broker itself does with the message. Only valid before the tap returns,
    /// and not for QoS 0.
    /// </summary>
    public void With(Action change)
    {
        if (_core is not null) Change = change;
    }

    /// <summary>
    /// The message is in a <see cref="HostQueue"/>, so a client that repeats it after a restart is answered, and the tap not asked again. Called inside
    /// the change that puts it there.
    /// </summary>
    public void Keep()
    {
        IsKept = true;
        if (Pending is not { } pending || _core is null) return;
        pending.Kept = true;
        if (pending.QoS == QoS.ExactlyOnce) _session!.Journal?.InboundTaken(pending.PacketId);
    }

    /// <summary>
    /// Lets the acknowledgement go, from any thread; the first call counts. A failure refuses the message: version 5 clients are told
    /// the reason, the connection of a 3.1.1 client is closed because that version has no refusal, so that it sends again.
    /// </summary>
    public void Complete(ReasonCode reason = ReasonCode.Success)
    {
        if (IsDeferred) _core!.CompleteHold(this, _session!, reason);
    }
}
