namespace EdgeFirmware.Mqtt.Durability;

/// <summary>Whose state a journal keeps: a broker, or a client. The methods are called under its lock.</summary>
internal interface IJournalOwner
{
    Lock Gate { get; }

    /// <summary>What a snapshot would hold besides deliveries and sessions.</summary>
    long RetainedBytes { get; }

    /// <summary>Something waits to be written: call <see cref="Journal.Wake"/> once the lock is free.</summary>
    void OnAppended();

    /// <summary>Everything that is live.</summary>
    void CaptureTo(List<JournalEntry> entries);
}
