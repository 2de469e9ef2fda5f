using System.Threading.Channels;

namespace EdgeFirmware.Firmware.Operations;

/// <summary>Somebody who follows the events.</summary>
internal sealed class EventFollower(ChannelReader<EventView> events, Action forget) : IDisposable
{
    public IAsyncEnumerable<EventView> ReadAllAsync(CancellationToken cancel) => events.ReadAllAsync(cancel);

    public void Dispose() => forget();
}
