using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Mqtt.Durability;

/// <summary>
/// The files of a journal: at most one snapshot, the logs behind it, the one being written and a spare one. A file's number says its place; a
/// snapshot stands for everything with a lower number. All but <see cref="DiskBytes"/> belongs to the writer.
/// </summary>
internal sealed class JournalFiles : IDisposable
{
    private const string Unfinished = ".new";

    /// <summary>No journal gets there; behind the name of such a file there would be no room for others.</summary>
    private const long NumberMax = 1L << 48;

    private readonly string _directory;
    private readonly long _diskBytesMax;
    private readonly FileStream _lock;
    private readonly List<(string Path, long Bytes)> _old = [];
    private Segment? _current;
    private Segment? _spare;
    private long _lastNumber;
    private long _diskBytes;
    private long _usedBytes;
    private long _bytesWritten;
    private long _commits;

    private JournalFiles(string directory, long diskBytesMax, FileStream held)
    {
        _directory = directory;
        _diskBytesMax = diskBytesMax;
        _lock = held;
    }

    /// <summary>What the files take, reserved space included. From any thread.</summary>
    public long DiskBytes => Volatile.Read(ref _diskBytes);

    /// <summary>Of that, what holds records. From any thread.</summary>
    public long UsedBytes => Volatile.Read(ref _usedBytes);

    /// <summary>Whole pages of 4096 bytes given to the disk since the start, which is what wears flash. From any thread.</summary>
    public long BytesWritten => Volatile.Read(ref _bytesWritten);

    /// <summary>From any thread.</summary>
    public long Commits => Volatile.Read(ref _commits);

    /// <summary>The disk failed while what is there was read, so only a snapshot will say surely what it holds.</summary>
    public bool IsDoubtful { get; private set; }

    /// <summary>Reads what is there into <paramref name="replay"/>.</summary>
    /// <exception cref="JournalBusyException">Another broker uses the directory.</exception>
    /// <exception cref="IOException">The directory or a file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">Likewise.</exception>
    public static JournalFiles Open(DurabilityOptions options, Replay replay, ILogger logger)
    {
        var directory = options.Directory;
        var isNew = !Directory.Exists(directory);
        Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        if (isNew) NativeFile.SyncDirectory(Path.GetDirectoryName(Path.GetFullPath(directory))!);
        var files = new JournalFiles(directory, Math.Max(options.DiskBytesMax, DurabilityOptions.DiskBytesMin), Hold(directory));
        try
        {
            files.Load(replay, logger);
            return files;
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    /// <summary>Appends a frame and returns once it is on disk.</summary>
    /// <exception cref="IOException">It is not. It may be tried again.</exception>
    public void Append(Span<byte> frame)
    {
        if (_current is null || !_current.HasRoomFor(frame.Length)) Rotate();
        var current = _current!;
        var before = current.Length;
        try
        {
            current.Write(frame);
            current.Sync();
            Wrote(before, current.Length);
            Volatile.Write(ref _commits, _commits + 1);
        }
        catch (IOException)
        {
            // After a failed sync nobody knows what is on disk: what comes next goes to another file.
            Retire(before);
            throw;
        }
        finally
        {
            Measure();
        }
    }

    /// <summary>Makes a spare segment when there is none and room for one. False: there is none.</summary>
    public bool Provide()
    {
        if (_spare is not null) return true;
        if (_diskBytes + Segment.AllocatedBytes > _diskBytesMax) return false;
        try
        {
            _spare = Create(Segment.LogPrefix, string.Empty, allocate: true);
            NativeFile.SyncDirectory(_directory);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            Discard(_spare);
            _spare = null;
        }

        Measure();
        return _spare is not null;
    }

    /// <summary>
    /// Replaces everything by <paramref name="entries"/>: written beside, synced, renamed, and only then is the rest removed. The present log is
    /// ended first, so no record may be appended meanwhile.
    /// </summary>
    /// <exception cref="IOException">The old files are still there and still right.</exception>
    public void Replace(JournalEntry[] entries)
    {
        Retire(_current?.Length ?? 0);
        // A spare with a lower number would be taken to be part of what the snapshot replaces.
        Discard(_spare);
        _spare = null;
        Segment? snapshot = null;
        try
        {
            snapshot = Create(Segment.SnapshotPrefix, Unfinished, allocate: false);
            JournalWriter.WriteAll(snapshot, entries);
            snapshot.Sync();
            var whole = snapshot.Path[..^Unfinished.Length];
            File.Move(snapshot.Path, whole);
            NativeFile.SyncDirectory(_directory);
            Wrote(0, snapshot.Length);
            IsDoubtful = false;
            foreach (var (path, _) in _old) File.Delete(path);
            _old.Clear();
            _old.Add((whole, snapshot.Length));
        }
        catch (IOException)
        {
            Discard(snapshot);
            throw;
        }
        finally
        {
            snapshot?.Dispose();
            Provide();
            Measure();
        }
    }

    public void Dispose()
    {
        if (_current is not null) Retire(_current.Length);
        Discard(_spare);
        _lock.Dispose();
    }

    private void Load(Replay replay, ILogger logger)
    {
        var snapshots = new List<(long Number, string Path)>();
        var logs = new List<(long Number, string Path)>();
        foreach (var path in Directory.GetFiles(_directory))
        {
            var name = Path.GetFileName(path);
            if (name.EndsWith(Unfinished, StringComparison.Ordinal)) File.Delete(path);
            else if (TryNumber(name, Segment.SnapshotPrefix, out var number)) snapshots.Add((number, path));
            else if (TryNumber(name, Segment.LogPrefix, out number)) logs.Add((number, path));
        }

        snapshots.Sort(static (one, other) => other.Number.CompareTo(one.Number));
        logs.Sort(static (one, other) => one.Number.CompareTo(other.Number));
        var from = snapshots.Count > 0 ? snapshots[0].Number : 0;
        if (snapshots.Count > 0) Load(snapshots[0].Path, from, isLog: false, replay, logger);
        _lastNumber = from;
        foreach (var (number, path) in logs)
        {
            _lastNumber = Math.Max(_lastNumber, number);
            if (number > from) Load(path, number, isLog: true, replay, logger);
            else File.Delete(path);
        }

        for (var i = 1; i < snapshots.Count; i++) File.Delete(snapshots[i].Path);
        Measure();
    }

    private void Load(string path, long number, bool isLog, Replay replay, ILogger logger)
    {
        var (whole, cut, damaged) = SegmentReader.Read(path, number, replay);
        if (damaged > 0) MqttLog.JournalDamaged(logger, path, damaged);
        if (!isLog && !replay.Ended) MqttLog.JournalDamaged(logger, path, 1);
        if (cut > 0) MqttLog.JournalCut(logger, path, whole, cut);
        if (isLog && whole <= Segment.HeaderBytes && damaged == 0)
        {
            // A spare that was never used, or nothing but a torn first batch.
            File.Delete(path);
            return;
        }

        _old.Add((path, whole));
        if (!isLog) return;
        // What a killed process wrote may not be on disk yet, and from now on more is built on it.
        try
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
            if (RandomAccess.GetLength(file) > whole) RandomAccess.SetLength(file, whole);
            NativeFile.SyncData(file);
        }
        catch (IOException failure)
        {
            MqttLog.JournalDoubtful(logger, path, failure.Message);
            IsDoubtful = true;
        }
    }

    private static FileStream Hold(string directory)
    {
        try
        {
            return new FileStream(Path.Combine(directory, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1);
        }
        catch (IOException busy)
        {
            throw new JournalBusyException(busy.Message);
        }
    }

    private static bool TryNumber(string name, string prefix, out long number)
    {
        number = 0;
        return name.StartsWith(prefix, StringComparison.Ordinal)
            && long.TryParse(name.AsSpan(prefix.Length), System.Globalization.NumberStyles.AllowHexSpecifier, null, out number)
            && number is > 0 and < NumberMax;
    }

    /// <exception cref="IOException">There is no room for another log.</exception>
    private void Rotate()
    {
        if (!Provide()) throw new IOException("no room for another log");
        if (_current is { } full) Retire(full.Length);
        _current = _spare;
        _spare = null;
        Provide();
    }

    /// <summary>Ends the present log behind <paramref name="length"/> bytes and gives back what it reserved.</summary>
    private void Retire(long length)
    {
        if (_current is not { } current) return;
        _current = null;
        try
        {
            current.CutBack(length);
        }
        catch (IOException)
        {
            // It keeps its reserve, or a torn frame, which the next start cuts.
        }

        if (length <= Segment.HeaderBytes)
        {
            Discard(current);
            return;
        }

        _old.Add((current.Path, length));
        current.Dispose();
    }

    private Segment Create(string prefix, string suffix, bool allocate)
    {
        var number = ++_lastNumber;
        return Segment.Create(Path.Combine(_directory, Segment.NameOf(prefix, number) + suffix), number, allocate);
    }

    private static void Discard(Segment? segment)
    {
        if (segment is null) return;
        segment.Dispose();
        try
        {
            File.Delete(segment.Path);
        }
        catch (IOException)
        {
            // The next start removes it.
        }
    }

    private void Wrote(long from, long to)
    {
        const long page = 4096;
        Volatile.Write(ref _bytesWritten, _bytesWritten + ((to + page - 1) / page * page) - (from / page * page));
    }

    private void Measure()
    {
        var disk = (_current?.DiskBytes ?? 0) + (_spare?.DiskBytes ?? 0);
        var used = _current?.Length ?? 0;
        foreach (var (_, bytes) in _old)
        {
            disk += bytes;
            used += bytes;
        }

        Volatile.Write(ref _diskBytes, disk);
        Volatile.Write(ref _usedBytes, used);
    }
}
