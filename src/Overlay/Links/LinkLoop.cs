using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Contracts.Mesh;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Overlay.Links;

/// <summary>Owns the core of the links: one inbox, one timer, the probes that are under way, and the picture for everybody else.</summary>
public sealed class LinkLoop(ILinkWatch watch, ILinkProber prober, LinksOptions options, Action<NodeEvent> events, TimeProvider time, ILogger log)
{
    /// <summary>Two probes a link and its changes; whoever writes waits while it is full.</summary>
    private const int InboxMax = 256;

    private static readonly TimeSpan RetryFirst = TimeSpan.FromSeconds(1), RetryMax = TimeSpan.FromSeconds(60);

    private readonly LinksCore _core = new(options);
    private readonly LoopInbox _inbox = new(InboxMax);
    private volatile IReadOnlyList<LinkView> _snapshot = [];
    private volatile string _trouble = "";

    /// <summary>Links as they are now, by index.</summary>
    public IReadOnlyList<LinkView> Snapshot => _snapshot;

    /// <summary>Why the kernel's links are not seen; empty when they are.</summary>
    public string Trouble => _trouble;

    /// <summary>Told of the kernel's links, from the loop: must be quick. Those that the operator wants watched, with the kinds he gave them.</summary>
    public Action<IReadOnlyList<KernelLink>>? Changed { get; set; }

    /// <summary>A user of the link has reason to think that it is not what it was. Thread safe; dropped when there is too much else to do.</summary>
    public void Doubt(int index) => _inbox.Writer.TryWrite(now => _core.Doubt(index, now));

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        using var timer = time.CreateTimer(_ => _inbox.Nudge(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        var watching = _inbox.EndWithAsync(WatchAsync(stopping.Token), stopping.Token);
        try
        {
            while (true)
            {
                var item = await _inbox.Reader.ReadAsync(cancel);
                var now = Instant.Now(time);
                do
                    item(now);
                while (_inbox.Reader.TryRead(out item!));
                Turn(now, stopping.Token);
                timer.Change(LoopInbox.Wait(_core.NextWakeup, Instant.Now(time)), Timeout.InfiniteTimeSpan);
            }
        }
        finally
        {
            await stopping.CancelAsync();
            await watching;
        }
    }

    private async Task WatchAsync(CancellationToken cancel)
    {
        for (var retry = RetryFirst; ; retry = retry * 2 < RetryMax ? retry * 2 : RetryMax)
            try
            {
                await foreach (var picture in watch.WatchAsync(cancel))
                {
                    _trouble = "";
                    retry = RetryFirst;
                    await _inbox.Writer.WriteAsync(now => _core.KernelIs(picture, now), cancel);
                }
            }
            catch (LinkException error)
            {
                _trouble = error.Message;
                OverlayLog.NotWatched(log, retry.TotalSeconds, error.Message);
                await Task.Delay(retry, time, cancel);
            }
    }

    private void Turn(Instant now, CancellationToken cancel)
    {
        _core.Advance(now);
        while (_core.Outbox.TryDequeue(out var request))
            _ = _inbox.EndWithAsync(ProbeAsync(request, cancel), cancel);
        // Before the events: whoever reads one sees what it tells of.
        _snapshot = _core.Views();
        Changed?.Invoke([.. _snapshot.Select(static link => link.Kernel)]);
        while (_core.Events.TryDequeue(out var happened))
        {
            OverlayLog.Happened(log, happened.Subject, happened.Kind, happened.Why);
            events(happened);
        }
    }

    private async Task ProbeAsync(ProbeRequest request, CancellationToken cancel)
    {
        var started = time.GetTimestamp();
        var answer = await prober.ProbeAsync(request.Link, request.Target, request.IsGateway, request.Patience, cancel);
        if (log.IsEnabled(LogLevel.Trace))
            OverlayLog.Asked(log, request.Link.Name, request.Target.ToString(), answer.Outcome, time.GetElapsedTime(started).TotalMilliseconds);
        await _inbox.Writer.WriteAsync(now => _core.Answer(request.Id, answer, now), cancel);
    }
}
