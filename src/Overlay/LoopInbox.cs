using System.Threading.Channels;
using EdgeFirmware.Contracts;

namespace EdgeFirmware.Overlay;

/// <summary>What the loop that owns a core is to do, in order; each item is given the instant of its turn. Whoever writes waits while it is full, or
/// gives up.</summary>
internal sealed class LoopInbox(int itemsMax)
{
    private readonly Channel<Action<Instant>> _items = Channel.CreateBounded<Action<Instant>>(itemsMax);

    public ChannelReader<Action<Instant>> Reader => _items.Reader;

    public ChannelWriter<Action<Instant>> Writer => _items.Writer;

    /// <summary>Lets the loop turn; when it is full it turns anyway.</summary>
    public void Nudge() => Writer.TryWrite(static _ => { });

    /// <summary>A loop that hears nothing more must not go on: it ends with what ended its producer.</summary>
    /// <param name="stopping">What the producer runs until.</param>
    public async Task EndWithAsync(Task producer, CancellationToken stopping)
    {
        try
        {
            await producer;
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // asked to stop
        }
        catch (Exception bug)
        {
            Writer.TryComplete(bug);
        }
    }

    /// <summary>What a timer waits that is to nudge the loop then.</summary>
    public static TimeSpan Wait(Instant until, Instant now) =>
        until == Instant.Never ? Timeout.InfiniteTimeSpan : until > now ? until - now + TimeSpan.FromMilliseconds(1) : TimeSpan.Zero;
}
