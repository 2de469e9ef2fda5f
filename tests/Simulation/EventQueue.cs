using EdgeFirmware.Contracts;

namespace EdgeFirmware.Simulation;

/// <summary>Virtual time: what is to happen, in order; equal instants in the order they were asked for.</summary>
public sealed class EventQueue
{
    private readonly PriorityQueue<Action, (Instant At, long Number)> _events = new();
    private long _number;

    /// <summary>Begins away from zero, so that "never" and "long ago" cannot be mistaken for the start.</summary>
    public Instant Now { get; private set; } = new(1_000_000_000);

    public long Done { get; private set; }

    /// <summary>Called after every event.</summary>
    public Action? AfterEach { get; set; }

    public void At(Instant at, Action action) => _events.Enqueue(action, (at < Now ? Now : at, _number++));

    public void After(TimeSpan delay, Action action) => At(Now + delay, action);

    public void Run(TimeSpan span) => RunUntil(() => false, span);

    /// <returns>Whether <paramref name="isOver"/> became true within <paramref name="atMost"/>.</returns>
    public bool RunUntil(Func<bool> isOver, TimeSpan atMost)
    {
        var end = Now + atMost;
        while (!isOver())
        {
            if (!_events.TryPeek(out _, out var next) || next.At > end)
            {
                Now = end;
                return isOver();
            }
            var action = _events.Dequeue();
            Now = next.At;
            action();
            Done++;
            AfterEach?.Invoke();
        }
        return true;
    }
}
