namespace EdgeFirmware.Mqtt.Transport;

/// <summary>
/// From which pending byte on a connection waits for which commit. Two places are enough: one commit is being written and one is open.
/// When a release is late a third is merged into the second, which then waits longer than it must.
/// </summary>
internal sealed class CommitMarks
{
    private int _first;
    private int _second;
    private long _firstCommit;
    private long _secondCommit;

    /// <summary>Bytes from <paramref name="position"/> on wait for the commit. False: they do already.</summary>
    public bool Add(long commit, int position)
    {
        if (Math.Max(_firstCommit, _secondCommit) >= commit) return false;
        if (_firstCommit == 0)
        {
            (_first, _firstCommit) = (position, commit);
        }
        else
        {
            if (_secondCommit == 0) _second = position;
            _secondCommit = commit;
        }

        return true;
    }

    public void Drop(long commit)
    {
        if (_firstCommit <= commit) (_first, _firstCommit, _second, _secondCommit) = (_second, _secondCommit, 0, 0);
        if (_firstCommit <= commit) _firstCommit = 0;
    }

    /// <summary>How many of the pending bytes wait for nothing.</summary>
    public int Free(int pending) => _firstCommit == 0 ? pending : Math.Min(pending, _first);

    /// <summary>That many bytes were taken from the front.</summary>
    public void Shift(int bytes)
    {
        _first = Math.Max(0, _first - bytes);
        _second = Math.Max(0, _second - bytes);
    }
}
