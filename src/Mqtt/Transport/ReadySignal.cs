using System.Threading.Tasks.Sources;

namespace EdgeFirmware.Mqtt.Transport;

/// <summary>Whether a socket can be read, or written, and the one who waits for it. Costs nothing to wait for again and again.</summary>
internal sealed class ReadySignal(EventLoop loop) : IValueTaskSource<int>, IValueTaskSource
{
    private const short ForReadiness = 0;
    private const short ForTurn = 1;

    private static readonly Action<object?> Ready = static _ => throw new InvalidOperationException("A mark, not to be called.");

    /// <summary>Null: not ready, and nobody waits. <see cref="Ready"/>. Or who waits.</summary>
    private Action<object?>? _waiting;
    private object? _state;

    public bool IsReady => ReferenceEquals(Volatile.Read(ref _waiting), Ready);

    /// <summary>Not ready as far as known. Before one tries, so that a change meanwhile is not missed.</summary>
    public void Reset() => Interlocked.CompareExchange(ref _waiting, null, Ready);

    public void Set()
    {
        var waiting = Interlocked.Exchange(ref _waiting, Ready);
        if (waiting is not null && !ReferenceEquals(waiting, Ready)) loop.RunOrPost(waiting, _state);
    }

    /// <summary>Completes on the loop's thread, with 0. One may wait at a time.</summary>
    public ValueTask<int> WaitAsync() => IsReady ? new(0) : new(this, ForReadiness);

    /// <summary>Completes on the loop's thread, after whoever waits there already.</summary>
    public ValueTask YieldAsync() => new(this, ForTurn);

    int IValueTaskSource<int>.GetResult(short token) => 0;

    void IValueTaskSource.GetResult(short token)
    {
    }

    public ValueTaskSourceStatus GetStatus(short token) =>
        token == ForReadiness && IsReady ? ValueTaskSourceStatus.Succeeded : ValueTaskSourceStatus.Pending;

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        if (token == ForTurn)
        {
            loop.Post(continuation, state);
            return;
        }

        _state = state;
        if (Interlocked.CompareExchange(ref _waiting, continuation, null) is not null) loop.Post(continuation, state);
    }
}
