using System.Threading.Channels;
using EdgeFirmware.Contracts.Messaging;

namespace EdgeFirmware.Workloads.Tests.Support;

/// <summary>A broker whose clients are the test: it sees each delivery and says when, and whether, it is acknowledged. What it publishes and keeps is on disk
/// from <see cref="Sync"/> on.</summary>
internal sealed class ManualBroker : INodeBroker
{
    private readonly Lock _gate = new();
    private readonly Channel<Delivery> _deliveries = Channel.CreateUnbounded<Delivery>();
    private readonly List<Delivery> _open = [];
    private readonly List<string> _published = [];
    private readonly List<string> _evicted = [];
    private readonly List<Action> _unkept = [];
    private Dictionary<string, ManualStore> _stores = [];
    private (Dictionary<string, ManualStore> Stores, int Published) _disk = ([], 0);

    /// <summary>Every delivery is acknowledged before <see cref="Deliver"/> returns, as at QoS 0.</summary>
    public bool AcknowledgesAtOnce { get; init; }

    public int Delivered { get; private set; }

    public IReadOnlyList<string> Published
    {
        get
        {
            lock (_gate)
                return [.. _published];
        }
    }

    public IReadOnlyList<string> Evicted
    {
        get
        {
            lock (_gate)
                return [.. _evicted];
        }
    }

    public bool IsFull { get; set; }

    /// <summary>Every step is on disk when it ends; otherwise at the next <see cref="Sync"/>.</summary>
    public bool SyncsAtOnce { get; set; } = true;

    public IReadOnlyList<string> Stores
    {
        get
        {
            lock (_gate)
                return [.. _stores.Keys];
        }
    }

    public bool HasDelivery => _deliveries.Reader.Count > 0;

    internal sealed class Delivery(ManualBroker broker, string clientId, SensorMessage message, byte qos, Action<bool> settled)
    {
        public bool IsSettled { get; private set; }

        public string ClientId => clientId;

        public string Text => Samples.Text(message);

        public byte Qos => qos;

        /// <summary>The first call counts, as with the broker.</summary>
        public void Settle(bool acknowledged)
        {
            lock (broker._gate)
            {
                if (IsSettled)
                    return;
                IsSettled = true;
                broker._open.Remove(this);
            }
            settled(acknowledged);
        }
    }

    public Task<Delivery> NextAsync() => _deliveries.Reader.ReadAsync().AsTask().Patiently();

    public ValueTask<Delivery> NextAsync(CancellationToken cancel) => _deliveries.Reader.ReadAsync(cancel);

    public void InOneStep(Action changes, Action? kept)
    {
        lock (_gate)
        {
            changes();
            if (kept is not null)
                _unkept.Add(kept);
        }
        if (SyncsAtOnce && !_gate.IsHeldByCurrentThread)
            Sync();
    }

    public IMessageStore OpenStore(string name)
    {
        lock (_gate)
        {
            if (!_stores.TryGetValue(name, out var store))
                _stores.Add(name, store = new ManualStore(_unkept.Add));
            return store;
        }
    }

    public void DeleteStore(string name)
    {
        lock (_gate)
            _stores.Remove(name);
    }

    public void Sync()
    {
        Action[] kept;
        lock (_gate)
        {
            _disk = (_stores.ToDictionary(pair => pair.Key, pair => pair.Value.Copy()), _published.Count);
            kept = [.. _unkept];
            _unkept.Clear();
        }
        foreach (var one in kept)
            one();
    }

    /// <summary>Goes back to what is on disk.</summary>
    /// <returns>What was put since, which its senders were not promised and send again.</returns>
    public IReadOnlyList<SensorMessage> LosePower()
    {
        lock (_gate)
        {
            var lost = _stores.Values.SelectMany(store => store.PutSince).ToList();
            _stores = _disk.Stores.ToDictionary(pair => pair.Key, pair => pair.Value.Restored());
            _published.RemoveRange(_disk.Published, _published.Count - _disk.Published);
            _unkept.Clear();
            _disk = (_stores.ToDictionary(pair => pair.Key, pair => pair.Value.Copy()), _published.Count);
            return lost;
        }
    }

    public void Publish(SensorMessage message)
    {
        lock (_gate)
            _published.Add(Samples.Text(message));
    }

    public void Deliver(string clientId, SensorMessage message, byte qos, Action<bool> settled)
    {
        var delivery = new Delivery(this, clientId, message, qos, settled);
        lock (_gate)
        {
            Delivered++;
            _open.Add(delivery);
        }
        if (AcknowledgesAtOnce)
            delivery.Settle(true);
        else
            _deliveries.Writer.TryWrite(delivery);
    }

    public void Evict(string clientId, string why)
    {
        List<Delivery> ended;
        lock (_gate)
        {
            _evicted.Add(clientId);
            ended = _open.Where(delivery => delivery.ClientId == clientId).ToList();
        }
        foreach (var delivery in ended)
            delivery.Settle(false);
    }
}
