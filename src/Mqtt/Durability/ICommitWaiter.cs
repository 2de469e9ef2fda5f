namespace EdgeFirmware.Mqtt.Durability;

/// <summary>A connection that keeps bytes back until a commit is on disk.</summary>
internal interface ICommitWaiter
{
    /// <summary>What is written from here on waits for <paramref name="commit"/>. False: it already waits for that one or a later one.</summary>
    bool HoldUntil(long commit);

    /// <summary>Everything up to <paramref name="commit"/> is on disk. Called without locks, from any thread.</summary>
    void Committed(long commit);
}
