using EdgeFirmware.Contracts.Messaging;
using EdgeFirmware.Contracts.Peers;

namespace EdgeFirmware.Workloads.Custody;

/// <summary>What the owner keeps of one inlet's stream: which messages it has and their results, until the inlet confirms that it has
/// published them. A message that comes again after a lost connection is answered from here, not given to the workload twice. Answers go out in
/// the order in which the present connection has offered the messages.</summary>
internal sealed class Lane(Outlet outlet)
{
    /// <summary>An inlet has 32 messages in flight, and their confirmations; whoever sends so many more is no inlet of ours.</summary>
    private const int KnownMax = 256;

    private readonly Lock _gate = new();
    private readonly SortedDictionary<long, Entry> _known = [];
    private Action<long, IReadOnlyList<SensorMessage>>? _answer;

    /// <summary>Whether forgetting it would change nothing.</summary>
    public bool IsIdle
    {
        get
        {
            lock (_gate)
                return _answer is null && _known.Count == 0;
        }
    }

    private sealed class Entry
    {
        /// <summary>The present connection has asked for it, so it may be answered there.</summary>
        public bool Offered { get; set; } = true;

        public IReadOnlyList<SensorMessage>? Results { get; set; }
    }

    /// <summary>A connection takes over; answers go to <paramref name="answer"/> from now on.</summary>
    /// <param name="first">The lowest sequence the inlet still has.</param>
    /// <returns>Results of what came before it: the inlet has published them, but its confirmation was lost.</returns>
    public IReadOnlyList<SensorMessage> Open(Action<long, IReadOnlyList<SensorMessage>> answer, long first)
    {
        var confirmed = new List<Entry>();
        var before = new List<long>();
        lock (_gate)
        {
            _answer = answer;
            foreach (var (sequence, entry) in _known)
                if (sequence < first && entry.Results is not null)
                {
                    confirmed.Add(entry);
                    before.Add(sequence);
                }
            foreach (var sequence in before)
                _known.Remove(sequence);
            foreach (var entry in _known.Values)
                entry.Offered = false;
        }
        outlet.Unconfirmed(-confirmed.Count);
        return confirmed.SelectMany(entry => entry.Results!).ToList();
    }

    /// <summary>The connection has ended, unless another took over before.</summary>
    public void Close(Action<long, IReadOnlyList<SensorMessage>> answer)
    {
        lock (_gate)
            if (_answer == answer)
                _answer = null;
    }

    /// <param name="answer">Of the connection that offers it; one that was taken over is late and has no say.</param>
    /// <exception cref="PeerException">More than an inlet ever has in flight.</exception>
    public void Offer(Action<long, IReadOnlyList<SensorMessage>> answer, long sequence, SensorMessage message)
    {
        IReadOnlyList<SensorMessage>? results = null;
        Entry? added = null;
        lock (_gate)
        {
            if (_answer != answer)
                return;
            if (_known.TryGetValue(sequence, out var known))
            {
                known.Offered = true;
                results = known.Results; // null: it waits or is in hand
            }
            else if (_known.Count < KnownMax)
                _known.Add(sequence, added = new Entry());
            else
                throw new PeerException($"{KnownMax} messages without a confirmation");
        }
        if (added is not null)
            outlet.Enqueue(message, made => Processed(sequence, added, made));
        else if (results is not null)
            answer(sequence, results);
    }

    /// <summary>The inlet has published the results.</summary>
    /// <returns>Them; empty when it was confirmed before, or has none yet.</returns>
    public IReadOnlyList<SensorMessage> Committed(long sequence)
    {
        IReadOnlyList<SensorMessage> results;
        lock (_gate)
        {
            if (!_known.TryGetValue(sequence, out var entry) || entry.Results is null)
                return [];
            _known.Remove(sequence);
            results = entry.Results;
        }
        outlet.Unconfirmed(-1);
        return results;
    }

    private void Processed(long sequence, Entry entry, IReadOnlyList<SensorMessage> results)
    {
        Action<long, IReadOnlyList<SensorMessage>>? answer;
        outlet.Unconfirmed(+1);
        lock (_gate)
        {
            entry.Results = results;
            answer = entry.Offered ? _answer : null;
        }
        answer?.Invoke(sequence, results);
    }
}
