using EdgeFirmware.Mqtt.Durability;

namespace EdgeFirmware.Mqtt.Broker;

/// <summary>
/// Messages that the host takes from the broker and keeps with it, in order and across restarts, until it has dealt with them. All changes are
/// made inside <see cref="MqttBroker.Change"/>, and what one call of it puts, removes and publishes is on disk as a whole or not at all. A message of
/// QoS 0 only gets a number; so does every message in a broker that keeps nothing.
/// </summary>
public sealed class HostQueue
{
    /// <summary>
    /// Numbers skipped at a restart: more than were given away since the last commit, so that none is ever given to two messages.
    /// </summary>
    internal const long Jump = 1L << 32;

    private readonly BrokerCore _core;
    private readonly Journal? _journal;
    private readonly SortedDictionary<long, StoredDelivery> _kept = [];
    private readonly uint _id;
    private long _last;
    private bool _isGone;

    internal HostQueue(BrokerCore core, string name)
    {
        _core = core;
        Name = name;
        Stream = Guid.NewGuid();
        _journal = core.Journal;
        if (_journal is not null) _id = _journal.NewQueue(name, Stream);
    }

    internal HostQueue(BrokerCore core, Journal journal, ReplayedQueue kept, long lastId)
    {
        _core = core;
        _journal = journal;
        _id = kept.Id;
        Name = kept.Name;
        Stream = kept.Stream;
        _last = lastId + Jump;
        foreach (var delivery in kept.Deliveries.Values) _kept.Add(delivery.Id, delivery);
        journal.Resume(kept);
    }

    public string Name { get; }

    /// <summary>Tells this queue from every other, also from one of the same name whose records were lost: its numbers are unique in it for ever.</summary>
    public Guid Stream { get; }

    /// <summary>The highest number that may have been given so far, also before a restart and to what was lost then.</summary>
    public long Last
    {
        get
        {
            using var turn = _core.Enter();
            return _last;
        }
    }

    /// <summary>What is in it that is kept, in order.</summary>
    public List<(long Number, MqttMessage Message)> Kept
    {
        get
        {
            using var turn = _core.Enter();
            var kept = new List<(long, MqttMessage)>(_kept.Count);
            foreach (var (number, delivery) in _kept) kept.Add((number, delivery.Stored.Message));
            return kept;
        }
    }

    /// <summary>Adds a message and returns its number, higher than all before. Acknowledgements sent from now on wait until it is on disk.</summary>
    /// <param name="kept">Called without locks when it is there, or after the turn in a broker that keeps nothing; not for QoS 0.</param>
    public long Put(MqttMessage message, Action kept)
    {
        using var turn = _core.Enter();
        if (message.QoS == QoS.AtMostOnce || _isGone) return _last = _journal?.NextId() ?? _last + 1;
        if (_journal is null)
        {
            turn.Call(kept);
            return ++_last;
        }

        var delivery = _journal.Queue(_id, message, turn.Now);
        _kept.Add(delivery.Id, delivery);
        _journal.Await(kept);
        return _last = delivery.Id;
    }

    /// <summary>Takes a message out; nothing happens when it is not kept.</summary>
    public void Remove(long number)
    {
        using var turn = _core.Enter();
        if (_kept.Remove(number, out var delivery)) _journal!.Settle(delivery, _isGone);
    }

    /// <summary>Nothing of it is to be found after a restart. Inside a turn.</summary>
    internal void Delete()
    {
        _isGone = true;
        if (_journal is null) return;
        foreach (var delivery in _kept.Values) _journal.Settle(delivery, sessionIsGone: true);
        _kept.Clear();
        _journal.QueueIsGone(_id);
    }

    internal void CaptureTo(List<JournalEntry> entries) => _journal?.Capture(_id, Name, Stream, _kept.Values, entries);
}
