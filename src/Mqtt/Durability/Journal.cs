using EdgeFirmware.Mqtt.Sessions;

namespace EdgeFirmware.Mqtt.Durability;

/// <summary>
/// What the state changes of a broker or a client have to tell the disk. Changes collect in the open batch; the writer takes it whole, so what came
/// during one sync goes out with the next. Everything here is under the owner's lock unless it says otherwise.
/// </summary>
internal sealed class Journal(DurabilityOptions options, IJournalOwner owner, TimeProvider time)
{
    private const int SessionDiskBytes = 128;

    private JournalEntry[] _open = new JournalEntry[16];
    private JournalEntry[] _spare = new JournalEntry[16];
    private int _count;
    private long _openBytes;
    private long _liveBytes;
    private long _openNumber = 1;
    private long _lastAppended;
    private long _durable;
    private long _lastId;
    private uint _lastSession;
    private List<ICommitWaiter> _openWaiters = [];
    private List<ICommitWaiter> _flyingWaiters = [];
    private TaskCompletionSource? _caughtUp;
    private CommitPromise? _promise;

    /// <summary>Told after each commit and each turn that appended; set once.</summary>
    public JournalWriter? Writer { get; set; }

    public long DiskBytesMax => options.DiskBytesMax;

    /// <summary>Estimate of what a snapshot would take now.</summary>
    public long LiveBytes => _liveBytes + owner.RetainedBytes;

    /// <summary>Nothing more may be promised for now: no room within the bound, or none on the disk.</summary>
    public bool IsFull => LiveBytes > options.DiskBytesMax / 4 || Writer is not { HasRoom: true } || _openBytes > 2 * options.BatchBytesMax;

    /// <summary>What reading from clients waits for while too much waits for the disk; null while it does not. Takes the lock itself.</summary>
    public Task? Behind
    {
        get
        {
            if (Volatile.Read(ref _openBytes) <= options.BatchBytesMax) return null;
            lock (owner.Gate) return _openBytes <= options.BatchBytesMax ? null : (_caughtUp ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    /// <summary>Takes the lock.</summary>
    public bool HasEntries
    {
        get
        {
            lock (owner.Gate) return _count > 0;
        }
    }

    public long UnixNow => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Goes on where the records ended.</summary>
    public void StartAfter(long lastId, uint lastSession)
    {
        _lastId = lastId;
        _lastSession = lastSession;
    }

    /// <summary>Makes what a connection writes from here on wait for everything appended so far.</summary>
    public void Hold(ICommitWaiter waiter)
    {
        if (_lastAppended <= _durable || !waiter.HoldUntil(_lastAppended)) return;
        (_lastAppended == _openNumber ? _openWaiters : _flyingWaiters).Add(waiter);
    }

    /// <summary>Completes when everything appended so far is on disk; never if the writer ends before.</summary>
    public Task WhenCommitted()
    {
        if (_lastAppended <= _durable) return Task.CompletedTask;
        if (_promise?.Commit != _lastAppended) Hold(_promise = new CommitPromise());
        return _promise!.Task;
    }

    /// <summary>Calls back once everything appended so far is on disk, without locks. False: it is, so there will be no call.</summary>
    public bool Await(Action kept)
    {
        if (_lastAppended <= _durable) return false;
        (_lastAppended == _openNumber ? _openWaiters : _flyingWaiters).Add(new Callback(kept));
        return true;
    }

    public StoredMessage Store(MqttMessage message, TimeSpan? expiresAt, TimeSpan now) =>
        new(++_lastId, message, expiresAt is { } end ? UnixNow + (long)(end - now).TotalMilliseconds : 0);

    public void Retain(StoredMessage stored, StoredMessage? replaced)
    {
        Elide(replaced);
        stored.RetainedBatch = _openNumber;
        Append(new(EntryKind.Retained, 0, 0, stored), stored.DiskBytes);
    }

    public void ClearRetained(string topic, StoredMessage? replaced)
    {
        Elide(replaced);
        Append(new(EntryKind.RetainedCleared, 0, 0, topic), topic.Length);
    }

    public SessionJournal NewSession()
    {
        _liveBytes += SessionDiskBytes;
        return new SessionJournal(this, ++_lastSession);
    }

    /// <summary>Takes up a session that is in the records already.</summary>
    public SessionJournal Resume(uint id)
    {
        _liveBytes += SessionDiskBytes;
        return new SessionJournal(this, id);
    }

    public void SessionIsGone() => _liveBytes -= SessionDiskBytes;

    public StoredDelivery Queue(uint session, OutboundMessage message, StoredMessage stored)
    {
        var delivery = new StoredDelivery(++_lastId, session, stored, message.QoS, message.Retain, message.SubscriptionIds) { Batch = _openNumber };
        Refer(delivery);
        Append(new(EntryKind.Queued, session, 0, delivery), stored.DiskBytes + StoredDelivery.DiskBytes);
        return delivery;
    }

    /// <summary>The id of something that is not to be kept.</summary>
    public long NextId() => ++_lastId;

    public uint NewQueue(string name, Guid stream)
    {
        _liveBytes += SessionDiskBytes;
        var id = ++_lastSession;
        Append(Opened(id, name, stream), SessionDiskBytes);
        return id;
    }

    /// <summary>Takes up a queue that is in the records already.</summary>
    public void Resume(ReplayedQueue queue)
    {
        _liveBytes += SessionDiskBytes;
        foreach (var delivery in queue.Deliveries.Values) Refer(delivery);
    }

    public StoredDelivery Queue(uint queue, MqttMessage message, TimeSpan now)
    {
        var delivery = new StoredDelivery(++_lastId, queue, Store(message, null, now), message.QoS, message.Retain, null) { Batch = _openNumber };
        Refer(delivery);
        Append(new(EntryKind.Queued, queue, 0, delivery), delivery.Stored.DiskBytes + StoredDelivery.DiskBytes);
        return delivery;
    }

    public void QueueIsGone(uint id)
    {
        SessionIsGone();
        Append(new(EntryKind.SessionClosed, id, 0, null), 5);
    }

    /// <summary>For a snapshot: the queue as it is now.</summary>
    public void Capture(uint id, string name, Guid stream, IEnumerable<StoredDelivery> deliveries, List<JournalEntry> entries)
    {
        entries.Add(Opened(id, name, stream));
        foreach (var delivery in deliveries) entries.Add(new(EntryKind.Queued, id, 0, delivery));
    }

    /// <summary>A delivery takes up space from here on, until <see cref="Settle"/>.</summary>
    public void Refer(StoredDelivery delivery)
    {
        _liveBytes += StoredDelivery.DiskBytes;
        if (++delivery.Stored.References == 1) _liveBytes += delivery.Stored.DiskBytes;
    }

    public void Settle(StoredDelivery delivery, bool sessionIsGone)
    {
        _liveBytes -= StoredDelivery.DiskBytes;
        if (--delivery.Stored.References == 0) _liveBytes -= delivery.Stored.DiskBytes;
        if (delivery.Batch == _openNumber) delivery.Elided = true;
        else if (!sessionIsGone) Append(new(EntryKind.Settled, 0, 0, delivery), 9);
    }

    public void Append(in JournalEntry entry, int bytes)
    {
        if (_count == _open.Length) Array.Resize(ref _open, 2 * _count);
        _open[_count++] = entry;
        Volatile.Write(ref _openBytes, _openBytes + bytes);
        _lastAppended = _openNumber;
        owner.OnAppended();
    }

    /// <summary>Tells the writer, once the lock is free.</summary>
    public void Wake() => Writer?.Wake();

    /// <summary>Takes the lock. The open batch becomes the one being written; valid until the next call. Null: there is nothing in it.</summary>
    public ArraySegment<JournalEntry>? Take(out long number)
    {
        lock (owner.Gate)
        {
            number = _openNumber;
            if (_count == 0) return null;
            var taken = new ArraySegment<JournalEntry>(_open, 0, _count);
            (_open, _spare) = (_spare, _open);
            (_openWaiters, _flyingWaiters) = (_flyingWaiters, _openWaiters);
            _count = 0;
            _openNumber++;
            Volatile.Write(ref _openBytes, 0);
            _caughtUp?.TrySetResult();
            _caughtUp = null;
            return taken;
        }
    }

    /// <summary>Takes the lock. The batch is on disk: forgets its entries and lets go what waited for it.</summary>
    public void Committed(long number, ArraySegment<JournalEntry> batch)
    {
        List<ICommitWaiter> waiters;
        lock (owner.Gate)
        {
            _durable = number;
            waiters = _flyingWaiters;
            _flyingWaiters = [];
            // A burst's array is not kept.
            if (batch.Count > 4096) _spare = new JournalEntry[16];
            else Array.Clear(_spare, 0, batch.Count);
        }

        // Not here: the next sync should begin while clients are answered.
        if (waiters.Count > 0) ThreadPool.UnsafeQueueUserWorkItem(new Release(waiters, number), preferLocal: false);
    }

    /// <summary>Takes the lock. Everything that is live, in the form of entries.</summary>
    public JournalEntry[] Capture()
    {
        lock (owner.Gate)
        {
            var entries = new List<JournalEntry>();
            owner.CaptureTo(entries);
            entries.Add(new JournalEntry(EntryKind.End, 0, 0, null));
            return [.. entries];
        }
    }

    private JournalEntry Opened(uint id, string name, Guid stream) => new(EntryKind.QueueOpened, id, 0, new QueueEntry(name, stream, _lastId));

    /// <summary>A topic's value that did not last until its batch was taken is not written: a batch is there whole or not at all.</summary>
    private void Elide(StoredMessage? replaced)
    {
        if (replaced is not null && replaced.RetainedBatch == _openNumber) replaced.RetainedElided = true;
    }

    private sealed class Callback(Action kept) : ICommitWaiter
    {
        public bool HoldUntil(long commit) => true;

        public void Committed(long commit) => kept();
    }

    private sealed class Release(List<ICommitWaiter> waiters, long commit) : IThreadPoolWorkItem
    {
        public void Execute()
        {
            foreach (var waiter in waiters) waiter.Committed(commit);
        }
    }
}
