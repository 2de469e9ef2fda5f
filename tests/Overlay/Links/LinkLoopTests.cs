using System.Net;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Overlay.Links;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeFirmware.Overlay.Tests.Links;

public sealed class LinkLoopTests : IDisposable
{
    private readonly CancellationTokenSource _stopping = new(TimeSpan.FromSeconds(30));
    private readonly ScriptedWatch _watch = new();
    private readonly ScriptedProber _prober = new();
    private readonly Channel<NodeEvent> _events = Channel.CreateUnbounded<NodeEvent>();
    private readonly LinkLoop _loop;

    public LinkLoopTests() => _loop = new LinkLoop(
        _watch, _prober, new LinksOptions { Targets = [Bench.Target] }, happened => _events.Writer.TryWrite(happened), TimeProvider.System, NullLogger.Instance);

    public void Dispose() => _stopping.Dispose();

    [Fact]
    public async Task What_the_kernel_says_is_asked_about_and_told_and_shown()
    {
        var running = _loop.RunAsync(_stopping.Token);
        _watch.Say(Bench.Wan());
        await NextAsync("link-up");
        await NextAsync("reach-changed", "internet");
        Assert.Equal(Reachability.Internet, Assert.Single(_loop.Snapshot).Reach);
        _watch.Say(Bench.Wan() with { HasCarrier = false });
        await NextAsync("link-down");
        await NextAsync("reach-changed", "none");
        await StopAsync(running);
    }

    [Fact]
    public async Task A_kernel_that_does_not_tell_is_asked_again_and_the_trouble_is_shown()
    {
        _watch.FailNext = true;
        var running = _loop.RunAsync(_stopping.Token);
        await _watch.Failed;
        _watch.Say(Bench.Wan());
        await NextAsync("link-up");
        Assert.Equal("", _loop.Trouble);
        Assert.Equal(2, _watch.Calls);
        await StopAsync(running);
    }

    [Fact]
    public async Task A_doubt_is_asked_at_once()
    {
        var running = _loop.RunAsync(_stopping.Token);
        _watch.Say(Bench.Wan());
        await NextAsync("reach-changed", "internet");
        var before = _prober.Count;
        _loop.Doubt(2);
        await _prober.AskedAsync(before + 1, _stopping.Token);
        await StopAsync(running);
    }

    [Fact]
    public async Task A_bug_in_a_probe_ends_the_loop()
    {
        _prober.Bug = new InvalidOperationException("a bug");
        var running = _loop.RunAsync(_stopping.Token);
        _watch.Say(Bench.Wan());
        var error = await Assert.ThrowsAnyAsync<Exception>(() => running);
        Assert.Contains("a bug", error.ToString(), StringComparison.Ordinal);
    }

    private async Task NextAsync(string kind, string? to = null)
    {
        while (true)
        {
            var happened = await _events.Reader.ReadAsync(_stopping.Token);
            if (happened.Kind == kind && (to is null || happened.Details!["to"] == to))
                return;
        }
    }

    private async Task StopAsync(Task running)
    {
        await _stopping.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    private sealed class ScriptedWatch : ILinkWatch
    {
        private readonly Channel<IReadOnlyList<KernelLink>> _pictures = Channel.CreateUnbounded<IReadOnlyList<KernelLink>>();
        private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool FailNext { get; set; }

        public int Calls { get; private set; }

        public Task Failed => _failed.Task;

        public void Say(params KernelLink[] picture) => _pictures.Writer.TryWrite(picture);

        public async IAsyncEnumerable<IReadOnlyList<KernelLink>> WatchAsync([EnumeratorCancellation] CancellationToken cancel)
        {
            Calls++;
            if (FailNext)
            {
                FailNext = false;
                _failed.TrySetResult();
                throw new LinkException("no netlink here");
            }
            await foreach (var picture in _pictures.Reader.ReadAllAsync(cancel))
                yield return picture;
        }
    }

    private sealed class ScriptedProber : ILinkProber
    {
        private readonly SemaphoreSlim _asked = new(0);
        private int _count;

        public int Count => _count;

        public Exception? Bug { get; set; }

        public async Task AskedAsync(int count, CancellationToken cancel)
        {
            while (_count < count)
                await _asked.WaitAsync(cancel);
        }

        public Task<ProbeAnswer> ProbeAsync(KernelLink link, IPEndPoint target, bool isGateway, TimeSpan patience, CancellationToken cancel)
        {
            Interlocked.Increment(ref _count);
            _asked.Release();
            return Bug is null ? Task.FromResult(Bench.Accepted()) : Task.FromException<ProbeAnswer>(Bug);
        }
    }
}
