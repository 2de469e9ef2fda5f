using EdgeFirmware.Samples.Convolution;

namespace EdgeFirmware.Lab.Streams;

/// <param name="Host">Host name of the copy that computed it: the first 12 digits of its container ID.</param>
/// <param name="Processed">The workload's own count of messages in its life.</param>
/// <param name="At">Arrival at the collector since 1970.</param>
public sealed record Result(long Number, uint Checksum, string Host, long Processed, TimeSpan At);

/// <param name="Sent">Given to the sensor's program.</param>
/// <param name="In">Acknowledged to the sensor by its broker.</param>
/// <param name="Out">Results, repeated ones included.</param>
/// <param name="Lost">Acknowledged, but without a result.</param>
/// <param name="LongestGap">Between two results that follow one another: the freeze as whoever waits for results sees it.</param>
public sealed record Account(long Sent, long In, long Out, long Lost, long Duplicated, long OutOfOrder, long Wrong, TimeSpan LongestGap)
{
    public bool IsClean => Lost == 0 && Duplicated == 0 && OutOfOrder == 0 && Wrong == 0;
}

/// <summary>Books of one stream of numbered messages: what went in, what came out. Thread-safe; it decides nothing.</summary>
public sealed class StreamLedger
{
    private readonly Lock _lock = new();
    private readonly SortedSet<long> _acknowledged = [];
    private readonly List<Result> _results = [];
    private readonly List<string> _faults = [];

    public long NextNumber { get; private set; } = 1;

    /// <summary>Things that must not happen, in words.</summary>
    public IReadOnlyList<string> Faults
    {
        get
        {
            lock (_lock)
                return [.. _faults];
        }
    }

    public int ResultCount
    {
        get
        {
            lock (_lock)
                return _results.Count;
        }
    }

    public int AcknowledgedCount
    {
        get
        {
            lock (_lock)
                return _acknowledged.Count;
        }
    }

    public Result? LastResult
    {
        get
        {
            lock (_lock)
                return _results.Count == 0 ? null : _results[^1];
        }
    }

    /// <returns>The number for the next message.</returns>
    public long Sent()
    {
        lock (_lock)
            return NextNumber++;
    }

    public void Acknowledged(long number)
    {
        lock (_lock)
            _acknowledged.Add(number);
    }

    public void Result(Result result)
    {
        lock (_lock)
            _results.Add(result);
    }

    public void Fault(string what)
    {
        lock (_lock)
            _faults.Add(what);
    }

    /// <summary>Results from the given index on.</summary>
    public IReadOnlyList<Result> ResultsSince(int mark)
    {
        lock (_lock)
            return _results[mark..];
    }

    /// <summary>Every message acknowledged so far has its result.</summary>
    public bool IsEven()
    {
        lock (_lock)
            return Missing(1, NextNumber).Count == 0;
    }

    public IReadOnlyList<long> MissingNumbers()
    {
        lock (_lock)
            return Missing(1, NextNumber);
    }

    /// <summary>Books for messages <paramref name="from"/> (inclusive) to <paramref name="to"/> (exclusive; 0 = all).</summary>
    public Account Close(long from = 1, long to = 0)
    {
        lock (_lock)
        {
            if (to == 0)
                to = NextNumber;
            var seen = new HashSet<long>();
            long results = 0, duplicated = 0, outOfOrder = 0, wrong = 0, highest = 0;
            var gap = TimeSpan.Zero;
            for (var i = 0; i < _results.Count; i++)
            {
                var result = _results[i];
                if (result.Number < from || result.Number >= to)
                    continue;
                results++;
                if (!seen.Add(result.Number))
                    duplicated++;
                else if (result.Number < highest)
                    outOfOrder++;
                highest = Math.Max(highest, result.Number);
                if (result.Checksum != WindowedConvolution.ExpectedChecksum(result.Number))
                    wrong++;
                // To the result before it, whosever that was: a freeze may begin with the last message of an earlier step.
                if (i > 0 && result.At - _results[i - 1].At > gap)
                    gap = result.At - _results[i - 1].At;
            }
            var missing = Missing(from, to).Count;
            return new Account(to - from, _acknowledged.GetViewBetween(from, to - 1).Count, results, missing, duplicated, outOfOrder, wrong, gap);
        }
    }

    private List<long> Missing(long from, long to)
    {
        if (to <= from)
            return [];
        var missing = new SortedSet<long>(_acknowledged.GetViewBetween(from, to - 1));
        missing.ExceptWith(_results.Select(result => result.Number));
        return [.. missing];
    }
}
