using System.Threading.Channels;

namespace EdgeFirmware.Workloads.Custody;

/// <summary>Wakes one waiter; a signal given while nobody waits is kept.</summary>
internal sealed class Signal
{
    private readonly Channel<bool> _kept = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Set() => _kept.Writer.TryWrite(true);

    public async Task WaitAsync(CancellationToken cancel) => await _kept.Reader.ReadAsync(cancel);
}
