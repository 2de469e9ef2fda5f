using EdgeFirmware.Mqtt.Broker;

namespace EdgeFirmware.Mqtt.Bridge;

/// <summary>Takes the messages that other nodes' bridges carry to this broker: each once, whatever was carried again after a restart at either end.</summary>
/// <param name="takesIn">Which topics they may publish to.</param>
public sealed class BridgeIntake(MqttBroker broker, Predicate<string> takesIn)
{
    private static readonly TimeSpan RoomPause = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, IntakeLane?[]> _lanes = [];
    private readonly Dictionary<string, long> _dropped = [];
    private readonly TakenNumbers _taken = new(broker);
    private long _received;

    /// <summary>Messages published here.</summary>
    public long Received => Interlocked.Read(ref _received);

    /// <summary>Not published, by cause: <c>malformed</c>, <c>again</c>, <c>not-allowed</c>, <c>loop</c>.</summary>
    public IReadOnlyDictionary<string, long> Dropped
    {
        get
        {
            using var turn = broker.Core.Enter();
            return new Dictionary<string, long>(_dropped);
        }
    }

    /// <summary>Takes a message. Those of a lane are taken in the order of the calls, which must not overlap.</summary>
    /// <param name="from">The other broker's name.</param>
    /// <param name="lane">As it was posted in.</param>
    /// <returns>Completes when it is on disk, with what it is for; or when it is none that is taken, which is counted.</returns>
    public async Task TakeAsync(string from, byte lane, ReadOnlyMemory<byte> body)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(lane, IBridgeConversation.Lanes);
        var known = LaneOf(from, lane);
        await (known.Last = TakeAsync(known, known.Last, body));
        await WhenKept().WaitAsync(broker.Stopping);
    }

    private async Task TakeAsync(IntakeLane lane, Task before, ReadOnlyMemory<byte> body)
    {
        await before;
        await broker.Restored.WaitAsync(broker.Stopping);
        while (!TryTake(lane, body.Span))
            await Task.Delay(RoomPause, broker.Options.TimeProvider, broker.Stopping);
        if (broker.Core.Journal?.Behind is { } behind) await behind.WaitAsync(broker.Stopping);
    }

    /// <returns>False: there is no room on the disk now.</returns>
    private bool TryTake(IntakeLane lane, ReadOnlySpan<byte> body)
    {
        using var turn = broker.Core.Enter();
        if (lane.Decode(body, broker.Options.Limits.TopicAliasMax) is not { } frame) return Drop("malformed");
        var message = frame.Message;
        var cause = message.Topic.Length > broker.Options.Limits.TopicCharsMax || SysTopics.Owns(message.Topic) || !takesIn(message.Topic) ? "not-allowed"
            : BridgeMark.IsOn(message, broker.Options.Identity!) || BridgeMark.IsExhausted(message) ? "loop"
            : frame.Number != 0 && _taken.Has(lane.From, frame.Stream ?? lane.Stream, lane.Number, frame.Number) ? "again"
            : null;
        if (cause is null)
        {
            message = BridgeMark.Add(message, lane.From);
            if (message.QoS != QoS.AtMostOnce && broker.Core.Journal is { IsFull: true } && broker.Core.Router.NeedsDisk(message)) return false;
            _received++;
            broker.Core.Router.Route(message, null, turn);
        }

        lane.Accept(frame);
        if (frame.Number != 0 && cause != "again") _taken.Add(lane.From, lane.Stream, lane.Number, frame.Number);
        return cause is null || Drop(cause);
    }

    private bool Drop(string cause)
    {
        _dropped[cause] = _dropped.GetValueOrDefault(cause) + 1;
        return true;
    }

    private Task WhenKept()
    {
        using var turn = broker.Core.Enter();
        return broker.Core.Journal?.WhenCommitted() ?? Task.CompletedTask;
    }

    private IntakeLane LaneOf(string from, byte lane)
    {
        using var turn = broker.Core.Enter();
        if (!_lanes.TryGetValue(from, out var lanes)) _lanes.Add(from, lanes = new IntakeLane?[IBridgeConversation.Lanes]);
        return lanes[lane] ??= new IntakeLane(from, lane);
    }
}
