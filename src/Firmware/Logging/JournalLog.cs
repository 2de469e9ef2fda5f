using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Firmware.Logging;

/// <summary>Writes to standard error, one line an entry: with the priority prefix that systemd reads (sd-daemon(3)) under it, with the time
/// otherwise.</summary>
internal sealed class JournalLog(LogLevel minimum, TextWriter writer, bool underSystemd, TimeProvider time)
{
    private readonly Lock _gate = new();

    public static JournalLog FromEnvironment(TimeProvider time)
    {
        var level = Enum.TryParse<LogLevel>(Environment.GetEnvironmentVariable("EDGE_LOG"), ignoreCase: true, out var asked) ? asked : LogLevel.Information;
        return new JournalLog(level, Console.Error, Environment.GetEnvironmentVariable("JOURNAL_STREAM") is not null, time);
    }

    public ILogger For(string area) => new AreaLogger(this, area);

    public ILogger<T> For<T>(string area) => new AreaLogger<T>(this, area);

    private void Write(LogLevel level, string area, string message, Exception? error)
    {
        var prefix = underSystemd ? $"<{Priority(level)}>" : $"{time.GetUtcNow():yyyy-MM-ddTHH:mm:ss.fffZ} {Word(level)} ";
        var text = error is null ? message : $"{message}: {error}";
        lock (_gate)
            foreach (var line in text.Split('\n'))
                writer.WriteLine($"{prefix}{area}: {line.TrimEnd('\r')}");
    }

    private static int Priority(LogLevel level) => level switch
    {
        LogLevel.Critical => 2,
        LogLevel.Error => 3,
        LogLevel.Warning => 4,
        LogLevel.Information => 6,
        _ => 7,
    };

    private static string Word(LogLevel level) => level switch
    {
        LogLevel.Critical => "crit ",
        LogLevel.Error => "error",
        LogLevel.Warning => "warn ",
        LogLevel.Information => "info ",
        _ => "debug",
    };

    private sealed class AreaLogger<T>(JournalLog log, string area) : AreaLogger(log, area), ILogger<T>;

    private class AreaLogger(JournalLog log, string area) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= log.Minimum;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                log.Write(logLevel, area, formatter(state, exception), exception);
        }
    }

    private LogLevel Minimum => minimum;
}
