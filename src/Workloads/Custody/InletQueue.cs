using EdgeFirmware.Contracts.Messaging;

namespace EdgeFirmware.Workloads.Custody;

/// <summary>Messages this node has heard for a workload and that the workload has not acknowledged yet, in order. Pure; not thread safe.</summary>
/// <param name="last">The highest number that may have been given before.</param>
internal sealed class InletQueue(long bytesMax, long last = 0)
{
    private readonly LinkedList<Entry> _entries = [];
    private readonly Dictionary<long, LinkedListNode<Entry>> _bySequence = [];
    private LinkedListNode<Entry>? _unsent;
    private long _last = last;
    private long _kept = last;

    public readonly record struct Entry(long Sequence, SensorMessage Message);

    public int Count => _entries.Count;

    public long Bytes { get; private set; }

    /// <summary>The lowest sequence that waits, or the next one to be given: everything before it is settled for good.</summary>
    public long First => _entries.First?.Value.Sequence ?? _last + 1;

    /// <summary>Entries sent to the present owner and not processed yet.</summary>
    public int InFlight { get; private set; }

    /// <summary>Whether another message may be acknowledged to its sender now. One always may, however large.</summary>
    public bool HasRoom => _entries.Count == 0 || Bytes < bytesMax;

    /// <param name="sequence">Higher than all before.</param>
    public void Add(long sequence, SensorMessage message)
    {
        var node = _entries.AddLast(new Entry(sequence, message));
        _bySequence.Add(sequence, node);
        _last = Math.Max(_last, sequence);
        _unsent ??= node;
        Bytes += message.SizeBytes;
    }

    /// <summary>Entries up to this one are on disk. Others are not sent, unless they are not to be kept at all: what somebody was given must not be forgotten here,
    /// or its results would come out for a message that its sender sends again.</summary>
    public void KeptUpTo(long sequence) => _kept = Math.Max(_kept, sequence);

    /// <summary>The next entry to send, which counts as in flight from now on.</summary>
    public bool TryTakeUnsent(int inFlightMax, out Entry entry)
    {
        entry = default;
        if (_unsent is null || InFlight >= inFlightMax || (_unsent.Value.Sequence > _kept && _unsent.Value.Message.Qos > 0))
            return false;
        entry = _unsent.Value;
        _unsent = _unsent.Next;
        InFlight++;
        return true;
    }

    /// <returns>Whether it was still waiting; <c>false</c> for a repeated answer.</returns>
    public bool Processed(long sequence)
    {
        if (!_bySequence.Remove(sequence, out var node))
            return false;
        if (node == _unsent)
            _unsent = node.Next;
        else if (IsSent(node.Value.Sequence))
            InFlight--;
        Bytes -= node.Value.Message.SizeBytes;
        _entries.Remove(node);
        return true;
    }

    /// <summary>The owner has changed or its connection is lost: everything unprocessed is sent again, in order.</summary>
    public void Rewind()
    {
        _unsent = _entries.First;
        InFlight = 0;
    }

    private bool IsSent(long sequence) => _unsent is null || sequence < _unsent.Value.Sequence;
}
