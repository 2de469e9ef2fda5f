using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Client;

namespace EdgeFirmware.Mqtt.Bridge;

/// <summary>A bridge whose messages the host brings to the other broker (<see cref="IBridgeCarrier"/>), where a <see cref="BridgeIntake"/> takes them.</summary>
internal sealed class CarriedBridge(MqttBroker broker, BridgeOptions options, IBridgeCarrier carrier) : MqttBridge(broker, options)
{
    /// <summary>Of its own queue at the broker, which has no messages: by it the other end tells its numbers from those of a journal that was lost.</summary>
    private const string StreamPrefix = "bridge/";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private long _unkept;
    private bool _isOpen;
    private bool _isReached;

    private protected override string Address => carrier.Address;

    private protected override string? RemoteName => carrier.RemoteName;

    /// <summary>Whether the other broker is reached is looked at as often as for what waited too long.</summary>
    internal override void Advance(Turn turn)
    {
        base.Advance(turn);
        Queue.RemoteMark = carrier.RemoteName ?? WayMark;
        var trouble = carrier.Trouble;
        if (trouble is not null) Note(trouble);
        if (_isReached == (trouble is null && _isOpen)) return;
        _isReached = !_isReached;
        if (_isReached) IsConnected(turn);
        else IsDisconnected(turn);
    }

    private protected override async Task ServeAsync()
    {
        while (!Broker.Stopping.IsCancellationRequested)
        {
            var began = Broker.Core.Now;
            try
            {
                await ConverseAsync(OpenSession());
            }
            catch (MqttException failure)
            {
                Note(failure.Message);
            }

            // One that was over at once would be again: the host stops.
            if (Broker.Core.Now - began < Pause) await Task.Delay(Pause, Broker.Options.TimeProvider, Broker.Stopping);
        }
    }

    private async Task ConverseAsync(BridgeSession session)
    {
        CountAttempt();
        var conversation = await carrier.OpenAsync(Broker.Stopping);
        var stream = Broker.OpenQueue(StreamPrefix + Name).Stream;
        var link = new CarriedLink(Broker.Core, session.Session, Map, conversation, stream, () => ++_unkept, Broker.Options.Limits.TopicAliasMax);
        using (var turn = Broker.Core.Enter())
        {
            Queue.RemoteMark = carrier.RemoteName ?? WayMark;
            session.Attach(link.Link, sessionPresent: true, turn);
            _isOpen = true;
        }

        try
        {
            await link.Over.WaitAsync(Broker.Stopping);
        }
        finally
        {
            using var turn = Broker.Core.Enter();
            session.Detach(link.Link, turn);
        }
    }
}
