namespace EdgeFirmware.Mqtt.Durability;

/// <summary>Completes with a commit; shared by all who wait for the same one.</summary>
internal sealed class CommitPromise : ICommitWaiter
{
    private readonly TaskCompletionSource _kept = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Task => _kept.Task;

    public long Commit { get; private set; }

    public bool HoldUntil(long commit)
    {
        Commit = commit;
        return true;
    }

    public void Committed(long commit)
    {
        if (commit >= Commit) _kept.TrySetResult();
    }
}
