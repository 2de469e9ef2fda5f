using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Platform.Tests.Peers;

/// <summary>Keeps what is logged.</summary>
internal sealed class RecordingLog : ILogger
{
    private readonly ConcurrentQueue<string> _lines = [];

    public IReadOnlyCollection<string> Lines => _lines;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue(formatter(state, exception));

    public async Task<string> WithAsync(string text)
    {
        var deadline = DateTime.UtcNow.AddSeconds(15);
        while (true)
        {
            if (_lines.FirstOrDefault(line => line.Contains(text, StringComparison.Ordinal)) is { } found)
                return found;
            Assert.True(DateTime.UtcNow < deadline, $"nobody logged '{text}': {string.Join(" | ", _lines)}");
            await Task.Delay(5);
        }
    }
}
