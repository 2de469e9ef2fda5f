using EdgeFirmware.Mqtt.Packets;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Mqtt.Durability;

/// <summary>
/// The thread that brings batches to disk, one frame and one sync for each: a batch is there whole or not at all, so a message and the
/// packet id that says it was seen never part. Rewrites what is live when more than half is garbage. While the disk refuses it keeps its
/// batch, and with it every answer that depends on it, and tries again.
/// </summary>
internal sealed class JournalWriter : IDisposable
{
    private const int StackBytes = 256 << 10;
    private const int SnapshotFrameBytes = 256 << 10;
    private const long SlackBytesMax = 4 << 20;

    /// <summary>A batch larger than this is a burst; its buffer is not kept.</summary>
    private const int KeptBufferBytes = 256 << 10;

    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    private readonly Journal _journal;
    private readonly JournalFiles _files;
    private readonly ILogger _logger;
    private readonly Action<Exception> _bug;
    private readonly EntryEncoder _encoder = new(snapshot: 0);
    private readonly OutputBuffer _frame = new();
    private readonly SemaphoreSlim _wake = new(0);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _asleep;
    private volatile bool _hasRoom = true;
    private volatile bool _stopping;

    public JournalWriter(Journal journal, JournalFiles files, ILogger logger, Action<Exception> bug)
    {
        _journal = journal;
        _files = files;
        _logger = logger;
        _bug = bug;
        new Thread(Run, StackBytes) { IsBackground = true, Name = "mqtt journal" }.Start();
    }

    public JournalFiles Files => _files;

    /// <summary>What is accepted now has its place on the disk. From any thread.</summary>
    public bool HasRoom => _hasRoom;

    private bool WantsSnapshot
    {
        get
        {
            var live = _journal.LiveBytes;
            var slack = Math.Min(SlackBytesMax, _journal.DiskBytesMax / 8);
            return _files.IsDoubtful || _files.UsedBytes > (2 * live) + (_hasRoom ? slack : slack / 4);
        }
    }

    /// <summary>There is something to write. From any thread; costs nothing while the writer is at work.</summary>
    public void Wake()
    {
        if (Interlocked.Exchange(ref _asleep, 0) == 1) _wake.Release();
    }

    /// <summary>Now and then: looks for garbage and, while there was no room, for room.</summary>
    public void Tick()
    {
        if (!_hasRoom || WantsSnapshot) Wake();
    }

    /// <summary>Writes what is left and closes the files. What the disk still refuses then is lost, and was never promised.</summary>
    public Task StopAsync()
    {
        _stopping = true;
        Wake();
        return _ended.Task;
    }

    public void Dispose() => _wake.Dispose();

    /// <summary>The entries as frames of bounded size. For snapshots, which count only once they are whole.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public static void WriteAll(Segment snapshot, JournalEntry[] entries)
    {
        var encoder = new EntryEncoder(snapshot.Number);
        var frame = new OutputBuffer();
        try
        {
            for (var i = 0; i < entries.Length;)
            {
                Begin(frame);
                while (i < entries.Length && frame.Length < SnapshotFrameBytes) encoder.Write(frame, entries[i++]);
                snapshot.Write(frame.Span);
            }
        }
        finally
        {
            frame.Clear();
        }
    }

    private static void Begin(OutputBuffer frame)
    {
        frame.Truncate(0);
        frame.WriteUInt32(0);
        frame.WriteUInt32(0);
    }

    private void Run()
    {
        try
        {
            // The log and its spare, before anybody asks for them.
            Tidy();
            while (true)
            {
                var batch = _journal.Take(out var number);
                if (batch is { } taken)
                {
                    if (!TryCommit(number, taken)) break;
                }
                else if (_stopping)
                {
                    break;
                }
                else if (!Sleep())
                {
                    continue;
                }

                Tidy();
            }

            _files.Dispose();
            _ended.TrySetResult();
        }
        catch (Exception bug)
        {
            _bug(bug);
            _ended.TrySetException(bug);
        }
    }

    /// <summary>False when something came in the moment before.</summary>
    private bool Sleep()
    {
        Volatile.Write(ref _asleep, 1);
        if (_stopping || _journal.HasEntries)
        {
            if (Interlocked.Exchange(ref _asleep, 0) == 0) _wake.Wait();
            return false;
        }

        _wake.Wait();
        return true;
    }

    /// <summary>False: the broker stops and the disk still refuses. Nothing may follow what is missing.</summary>
    private bool TryCommit(long number, ArraySegment<JournalEntry> batch)
    {
        Begin(_frame);
        foreach (ref readonly var entry in batch.AsSpan()) _encoder.Write(_frame, entry);
        var isEmpty = _frame.Length == Segment.FrameHeaderBytes;
        while (!isEmpty && !TryAppend() && !TryReplace())
        {
            if (_stopping) return false;
            Interlocked.Exchange(ref _asleep, 1);
            _wake.Wait(RetryInterval);
        }

        _journal.Committed(number, batch);
        if (_frame.Length > KeptBufferBytes) _frame.Clear();
        return true;
    }

    private bool TryAppend()
    {
        try
        {
            _files.Append(_frame.Span);
            return true;
        }
        catch (IOException refusal)
        {
            Refused(refusal);
            return false;
        }
    }

    /// <summary>Also covers the batch that is being written.</summary>
    private bool TryReplace()
    {
        try
        {
            _files.Replace(_journal.Capture());
            return true;
        }
        catch (IOException refusal)
        {
            Refused(refusal);
            return false;
        }
    }

    private void Tidy()
    {
        if (WantsSnapshot) TryReplace();
        var hasRoom = _files.Provide() && !_files.IsDoubtful;
        if (hasRoom == _hasRoom) return;
        _hasRoom = hasRoom;
        if (hasRoom) MqttLog.JournalHasRoom(_logger);
        else MqttLog.JournalRefused(_logger, "no room for another log");
    }

    private void Refused(IOException refusal)
    {
        if (_hasRoom) MqttLog.JournalRefused(_logger, refusal.Message);
        _hasRoom = false;
    }
}
