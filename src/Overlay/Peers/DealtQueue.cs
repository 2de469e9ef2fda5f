using EdgeFirmware.Overlay.Sessions;

namespace EdgeFirmware.Overlay.Peers;

/// <summary>Messages that somebody deals with, each in his own time; they are settled in the order in which they came in their lane.</summary>
internal sealed class DealtQueue
{
    private readonly Dictionary<(SessionCore, byte), Queue<Entry>> _lanes = [];

    /// <returns>To be handed back when it has been dealt with.</returns>
    public object Begin(Incoming message)
    {
        var key = (message.Session, message.Lane);
        if (!_lanes.TryGetValue(key, out var lane))
            _lanes.Add(key, lane = new Queue<Entry>());
        var entry = new Entry(message);
        lane.Enqueue(entry);
        return entry;
    }

    /// <returns>Messages that can be settled now, in order.</returns>
    public IEnumerable<Incoming> Done(object begun)
    {
        var entry = (Entry)begun;
        entry.IsDone = true;
        var key = (entry.Message.Session, entry.Message.Lane);
        var lane = _lanes[key];
        while (lane.TryPeek(out var first) && first.IsDone)
            yield return lane.Dequeue().Message;
        if (lane.Count == 0)
            _lanes.Remove(key);
    }

    private sealed class Entry(Incoming message)
    {
        public Incoming Message => message;

        public bool IsDone { get; set; }
    }
}
