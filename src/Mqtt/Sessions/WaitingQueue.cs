namespace EdgeFirmware.Mqtt.Sessions;

/// <summary>Messages behind those in flight, in the order they are to be sent: lane by lane, and in each lane as they came.</summary>
internal sealed class WaitingQueue(IQueuePolicy? policy)
{
    private readonly Lane[] _lanes = new Lane[policy?.Lanes ?? 1];

    public int Count { get; private set; }

    /// <summary>All of them, in order.</summary>
    public IEnumerable<OutboundMessage> All
    {
        get
        {
            foreach (var lane in _lanes)
            {
                foreach (var message in lane.Messages ?? [])
                {
                    if (!message.IsDropped) yield return message;
                }
            }
        }
    }

    public void Enqueue(OutboundMessage message)
    {
        ref var lane = ref _lanes[policy?.LaneOf(message.Message) ?? 0];
        (lane.Messages ??= new Queue<OutboundMessage>()).Enqueue(message);
        if (policy is not null && message.QoS == QoS.AtMostOnce) (lane.QoS0 ??= new Queue<OutboundMessage>()).Enqueue(message);
        Count++;
    }

    public OutboundMessage Peek() => First(out _)!;

    public OutboundMessage Dequeue()
    {
        var message = First(out var index)!;
        Take(ref _lanes[index]);
        return message;
    }

    /// <summary>Takes out the oldest message of QoS 0, from the least urgent lane that has one.</summary>
    public OutboundMessage? DropQoS0()
    {
        for (var i = _lanes.Length - 1; i >= 0; i--)
        {
            if (_lanes[i].QoS0 is not { Count: > 0 } candidates) continue;
            var message = candidates.Dequeue();
            message.IsDropped = true;
            Count--;
            return message;
        }

        return null;
    }

    /// <summary>Takes out a message that has waited since before <paramref name="earliest"/>.</summary>
    public OutboundMessage? DropOlder(TimeSpan earliest)
    {
        for (var i = 0; i < _lanes.Length; i++)
        {
            if (FirstOf(ref _lanes[i]) is not { } oldest || oldest.WaitingSince >= earliest) continue;
            Take(ref _lanes[i]);
            return oldest;
        }

        return null;
    }

    private OutboundMessage? First(out int index)
    {
        for (index = 0; index < _lanes.Length; index++)
        {
            if (FirstOf(ref _lanes[index]) is { } message) return message;
        }

        return null;
    }

    private static OutboundMessage? FirstOf(ref Lane lane)
    {
        while (lane.Messages is { Count: > 0 } messages)
        {
            if (!messages.Peek().IsDropped) return messages.Peek();
            messages.Dequeue();
        }

        return null;
    }

    private void Take(ref Lane lane)
    {
        var message = lane.Messages!.Dequeue();
        // In both queues in the same order.
        if (policy is not null && message.QoS == QoS.AtMostOnce) lane.QoS0!.Dequeue();
        Count--;
    }

    private struct Lane
    {
        public Queue<OutboundMessage>? Messages;
        public Queue<OutboundMessage>? QoS0;
    }
}
