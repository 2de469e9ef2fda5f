namespace EdgeFirmware.Mqtt.Broker;

/// <summary>Totals since start. The message counters change only under the broker's lock, limits and byte counters from any thread.</summary>
internal sealed class BrokerCounters
{
    private readonly long[] _hits = new long[Enum.GetValues<BrokerLimit>().Length];
    private long _bytesIn;
    private long _bytesOut;
    private long _bytesDiscarded;
    private long _receivingBytes;
    private long _badDatagrams;

    public long MessagesIn { get; set; }

    public long MessagesOut { get; set; }

    public long MessagesDropped { get; set; }

    public long ConnectionsAccepted { get; set; }

    public int ConnectionsPeak { get; set; }

    public long SessionsExpired { get; set; }

    /// <summary>Of every type.</summary>
    public long PacketsIn { get; set; }

    /// <summary>Of every type.</summary>
    public long PacketsOut { get; set; }

    public long PayloadBytesIn { get; set; }

    public long PayloadBytesOut { get; set; }

    /// <summary>Messages put into a queue because they could not be sent at once.</summary>
    public long MessagesQueued { get; set; }

    /// <summary>Times a publisher was not read from for a moment, because what it sends has to be kept and memory is short.</summary>
    public long PublishersSlowed { get; set; }

    public long HeapBytesPeak { get; set; }

    /// <summary>Messages that wait or are in flight, and wills. One that waits in several sessions counts in each.</summary>
    public long KeptBytes { get; set; }

    /// <summary>Encoded for connections since start.</summary>
    public long BytesEncoded { get; set; }

    /// <summary>Encoded and not yet with the kernel. Under the broker's lock.</summary>
    public long UnsentBytes => Math.Max(0, BytesEncoded - BytesOut - Interlocked.Read(ref _bytesDiscarded));

    /// <summary>All that <see cref="BrokerLimits.HeldBytesMax"/> bounds.</summary>
    public long HeldBytes => KeptBytes + UnsentBytes;

    /// <summary>Of buffers that hold an unfinished packet.</summary>
    public long ReceivingBytes => Interlocked.Read(ref _receivingBytes);

    public void Hit(BrokerLimit limit) => Interlocked.Increment(ref _hits[(int)limit]);

    /// <summary>For each limit how often it was met.</summary>
    public long[] CopyHits()
    {
        var copy = new long[_hits.Length];
        // One by one: a board of 32 bits reads the halves of a long apart.
        for (var i = 0; i < copy.Length; i++) copy[i] = Interlocked.Read(ref _hits[i]);
        return copy;
    }

    public void CountIn(MqttMessage message)
    {
        MessagesIn++;
        PayloadBytesIn += message.Payload.Length;
    }

    public long BytesIn => Interlocked.Read(ref _bytesIn);

    public long BytesOut => Interlocked.Read(ref _bytesOut);

    /// <summary>Of sensors.</summary>
    public long BadDatagrams => Interlocked.Read(ref _badDatagrams);

    public void CountBadDatagram() => Interlocked.Increment(ref _badDatagrams);

    public void AddBytesIn(int bytes) => Interlocked.Add(ref _bytesIn, bytes);

    /// <summary>Encoded for a connection that broke.</summary>
    public void AddBytesDiscarded(int bytes) => Interlocked.Add(ref _bytesDiscarded, bytes);

    public void AddReceivingBytes(int bytes) => Interlocked.Add(ref _receivingBytes, bytes);

    public void AddBytesOut(int bytes) => Interlocked.Add(ref _bytesOut, bytes);
}
