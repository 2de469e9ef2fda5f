using EdgeFirmware.Firmware.Logging;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Firmware.Api;

/// <summary>Kestrel's complaints go where ours go.</summary>
internal sealed class JournalProvider(JournalLog journal) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => journal.For("api");

    public void Dispose()
    {
        // The journal outlives the API.
    }
}
