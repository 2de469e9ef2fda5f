namespace EdgeFirmware.Mqtt.Broker;

/// <summary>Counters since start and gauges of now.</summary>
public sealed record BrokerStatistics
{
    public required int Connections { get; init; }

    public required long ConnectionsAccepted { get; init; }

    /// <summary>Connected or waiting for their client.</summary>
    public required int Sessions { get; init; }

    public required int Subscriptions { get; init; }

    public required int RetainedMessages { get; init; }

    public required long RetainedBytes { get; init; }

    /// <summary>Accepted from clients and from this process.</summary>
    public required long MessagesIn { get; init; }

    /// <summary>Sent to clients for the first time.</summary>
    public required long MessagesOut { get; init; }

    /// <summary>Because of a limit, expiry or an absent client; and publishes refused.</summary>
    public required long MessagesDropped { get; init; }

    public required long BytesIn { get; init; }

    public required long BytesOut { get; init; }

    /// <summary>Most there ever were at once.</summary>
    public required int ConnectionsPeak { get; init; }

    /// <summary>Sessions that ended because their client stayed away.</summary>
    public required long SessionsExpired { get; init; }

    /// <summary>Members of shared subscriptions.</summary>
    public required int SharedSubscriptions { get; init; }

    /// <summary>MQTT packets of every type from accepted clients.</summary>
    public required long PacketsIn { get; init; }

    public required long PacketsOut { get; init; }

    /// <summary>Payloads of <see cref="MessagesIn"/>.</summary>
    public required long PayloadBytesIn { get; init; }

    /// <summary>Payloads of all PUBLISH packets sent, repetitions included.</summary>
    public required long PayloadBytesOut { get; init; }

    /// <summary>Whole pages given to the disk for sessions and retained messages: what wears flash. 0 without durability.</summary>
    public required long DiskBytesWritten { get; init; }

    /// <summary>Syncs of the disk.</summary>
    public required long DiskCommits { get; init; }

    /// <summary>What the journal takes on disk now.</summary>
    public required long DiskBytes { get; init; }

    /// <summary>Publishers are refused what would have to be kept.</summary>
    public required bool DiskIsFull { get; init; }

    /// <summary>Of subscriptions; an estimate.</summary>
    public required long SubscriptionBytes { get; init; }

    /// <summary>Messages that wait or are in flight, wills, and encoded bytes not sent yet: what <see cref="BrokerLimits.HeldBytesMax"/> bounds.</summary>
    public required long HeldBytes { get; init; }

    /// <summary>Of <see cref="HeldBytes"/>, encoded for connections that do not take it at once.</summary>
    public required long UnsentBytes { get; init; }

    /// <summary>Buffers with unfinished packets from clients.</summary>
    public required long ReceivingBytes { get; init; }

    /// <summary>Messages that could not be sent at once and were put into a queue.</summary>
    public required long MessagesQueued { get; init; }

    public required int ClientsConnected { get; init; }

    /// <summary>Messages that wait in sessions.</summary>
    public required long MessagesWaiting { get; init; }

    /// <summary>Their size.</summary>
    public required long BytesWaiting { get; init; }

    /// <summary>Messages sent and not acknowledged.</summary>
    public required long MessagesInFlight { get; init; }

    /// <summary>Managed heap of the process.</summary>
    public required long HeapBytes { get; init; }

    /// <summary>The largest that was seen when somebody looked.</summary>
    public required long HeapBytesPeak { get; init; }

    /// <summary>Times a publisher was not read from for a moment, because memory was short.</summary>
    public required long PublishersSlowed { get; init; }

    /// <summary>Datagrams from sensors that were no MQTT-SN, or too large, or meant nothing where they came.</summary>
    public required long BadDatagrams { get; init; }

    public required TimeSpan Uptime { get; init; }

    private long[] LimitHits { get; init; } = [];

    /// <summary>How often a limit was met.</summary>
    public long Hits(BrokerLimit limit) => LimitHits[(int)limit];

    /// <summary>Inside a turn.</summary>
    internal static BrokerStatistics Of(BrokerCore core, int connections, TimeSpan now)
    {
        var clients = 0;
        long waiting = 0, bytes = 0, inFlight = 0;
        foreach (var session in core.Sessions.Values)
        {
            if (session.Link is not null) clients++;
            waiting += session.Outbound.QueuedMessages;
            bytes += session.Outbound.QueuedBytes;
            inFlight += session.Outbound.InFlight;
        }

        var heap = GC.GetTotalMemory(forceFullCollection: false);
        core.Counters.HeapBytesPeak = Math.Max(core.Counters.HeapBytesPeak, heap);
        return new BrokerStatistics
        {
            Connections = connections,
            ConnectionsAccepted = core.Counters.ConnectionsAccepted,
            Sessions = core.Sessions.Count,
            Subscriptions = core.Router.Subscriptions,
            RetainedMessages = core.Router.Retained.Count,
            RetainedBytes = core.Router.Retained.Bytes,
            MessagesIn = core.Counters.MessagesIn,
            MessagesOut = core.Counters.MessagesOut,
            MessagesDropped = core.Counters.MessagesDropped,
            BytesIn = core.Counters.BytesIn,
            BytesOut = core.Counters.BytesOut,
            ConnectionsPeak = core.Counters.ConnectionsPeak,
            SessionsExpired = core.Counters.SessionsExpired,
            SharedSubscriptions = core.Router.SharedSubscriptions,
            PacketsIn = core.Counters.PacketsIn,
            PacketsOut = core.Counters.PacketsOut,
            PayloadBytesIn = core.Counters.PayloadBytesIn,
            PayloadBytesOut = core.Counters.PayloadBytesOut,
            DiskBytesWritten = core.Journal?.Writer?.Files.BytesWritten ?? 0,
            DiskCommits = core.Journal?.Writer?.Files.Commits ?? 0,
            DiskBytes = core.Journal?.Writer?.Files.DiskBytes ?? 0,
            DiskIsFull = core.Journal is { IsFull: true },
            SubscriptionBytes = core.Router.SubscriptionBytes,
            HeldBytes = core.Counters.HeldBytes,
            UnsentBytes = core.Counters.UnsentBytes,
            ReceivingBytes = core.Counters.ReceivingBytes,
            MessagesQueued = core.Counters.MessagesQueued,
            BadDatagrams = core.Counters.BadDatagrams,
            PublishersSlowed = core.Counters.PublishersSlowed,
            LimitHits = core.Counters.CopyHits(),
            ClientsConnected = clients,
            MessagesWaiting = waiting,
            BytesWaiting = bytes,
            MessagesInFlight = inFlight,
            HeapBytes = heap,
            HeapBytesPeak = core.Counters.HeapBytesPeak,
            Uptime = now,
        };
    }
}
