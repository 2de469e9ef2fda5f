using System.Threading.Channels;
using EdgeFirmware.Mqtt.Bridge;

namespace EdgeFirmware.Mqtt.Tests.Bridge;

/// <summary>Carries a bridge's messages to an intake in this process, and can lose the conversation at any moment, with or without word of what was taken.</summary>
internal sealed class Ferry : IBridgeCarrier
{
    private readonly string _from;
    private readonly Func<BridgeIntake> _there;
    private readonly Lock _gate = new();
    private TaskCompletionSource _mended = new();
    private Crossing? _now;

    public Ferry(string from, Func<BridgeIntake> there)
    {
        (_from, _there) = (from, there);
        _mended.SetResult();
    }

    public string Address => "node there";

    public string? RemoteName { get; set; } = "there";

    public string? Trouble { get; set; }

    /// <summary>Every body that was posted, in order.</summary>
    public Channel<(byte Lane, byte[] Body)> Posted { get; } = Channel.CreateUnbounded<(byte, byte[])>();

    public async Task<IBridgeConversation> OpenAsync(CancellationToken cancel)
    {
        while (true)
        {
            Task mended;
            lock (_gate)
            {
                if (_mended.Task.IsCompleted) return _now = new Crossing(this);
                mended = _mended.Task;
            }

            await mended.WaitAsync(cancel);
        }
    }

    /// <summary>The conversation ends; whatever is not known to have been taken is lost, though it may have been. There is none until <see cref="Mend"/>, and when the
    /// task has ended nothing is being taken.</summary>
    public Task SeverAsync()
    {
        lock (_gate)
        {
            _mended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _now?.EndAsync() ?? Task.CompletedTask;
        }
    }

    public void Mend()
    {
        lock (_gate) _mended.TrySetResult();
    }

    private sealed class Crossing : IBridgeConversation
    {
        private readonly Ferry _ferry;
        private readonly CancellationTokenSource _end = new();
        private readonly Channel<(byte Lane, ReadOnlyMemory<byte> Body, Action<bool> Ended)> _posted = Channel.CreateUnbounded<(byte, ReadOnlyMemory<byte>, Action<bool>)>();
        private readonly Task _running;
        private readonly List<Task> _takes = [];
        private Task _last = Task.CompletedTask;

        public Crossing(Ferry ferry)
        {
            _ferry = ferry;
            _running = RunAsync();
        }

        public void Post(byte lane, ReadOnlyMemory<byte> body, Action<bool> ended)
        {
            _ferry.Posted.Writer.TryWrite((lane, body.ToArray()));
            if (!_posted.Writer.TryWrite((lane, body, ended))) ended(false);
        }

        public async Task EndAsync()
        {
            _posted.Writer.TryComplete();
            await _end.CancelAsync();
            await _running;
            await Task.WhenAll(_takes);
        }

        private async Task RunAsync()
        {
            await foreach (var (lane, body, ended) in _posted.Reader.ReadAllAsync())
            {
                await Task.Yield();
                var taken = _end.IsCancellationRequested ? Task.CompletedTask : _ferry._there().TakeAsync(_ferry._from, lane, body);
                _takes.Add(taken);
                _last = EndAsync(_last, taken.WaitAsync(_end.Token), ended);
            }
        }

        private async Task EndAsync(Task before, Task taken, Action<bool> ended)
        {
            await before;
            await taken.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // cancelled with the conversation
            ended(taken.IsCompletedSuccessfully && !_end.IsCancellationRequested);
        }
    }
}
