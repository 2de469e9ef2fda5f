using System.Globalization;
using System.Text;
using EdgeFirmware.Lab.Sites;
using EdgeFirmware.Lab.Streams;

namespace EdgeFirmware.Lab.Demo;

/// <summary>The demo's live picture: a row per node with where the workload lived over the last half minute, the message rates, and what
/// the nodes say, with why. Redrawn in place on a terminal; plain lines everywhere else.</summary>
public sealed class Terminal : IStage, IAsyncDisposable
{
    private static readonly TimeSpan Frame = TimeSpan.FromMilliseconds(500);
    private const int Columns = 60;
    private const int PlainFrames = 10;
    private const int LineCharactersMax = 160;

    private readonly Lock _lock = new();
    private readonly Site _site;
    private readonly bool _live;
    private readonly long _start = TimeProvider.System.GetTimestamp();
    private readonly Dictionary<string, StringBuilder> _strips = [];
    private readonly Dictionary<string, TimeSpan> _cpu = [];
    private readonly Dictionary<string, int> _levels = [];
    private readonly CancellationTokenSource _end = new();
    private readonly Task _drawing;
    private SensorStream? _stream;
    private (int In, int Out, long At) _last;
    private string _rates = "";
    private int _drawn;
    private int _frames;

    public Terminal(Site site)
    {
        _site = site;
        _live = !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") is { Length: > 0 } and not "dumb";
        _site.Events.Heard += Heard;
        foreach (var node in site.Nodes)
            _strips[node.Name] = new StringBuilder(new string(' ', Columns));
        _drawing = DrawAsync();
    }

    public void Watch(SensorStream stream) => _stream = stream;

    public void Step(string title)
    {
        lock (_lock)
        {
            Erase();
            Console.WriteLine();
            Console.WriteLine(Bold(title));
            Paint();
        }
    }

    public void Say(string line)
    {
        lock (_lock)
        {
            Erase();
            Console.WriteLine($"  {Clock()}  {Cut(line)}");
            Paint();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _site.Events.Heard -= Heard;
        await _end.CancelAsync();
        await _drawing;
        _end.Dispose();
        lock (_lock)
            Erase();
    }

    /// <summary>Every node tells of the same change; the one it happened to, or the first, is enough.</summary>
    private void Heard(NodeEvent happened)
    {
        if (happened.Node == happened.Subject.Split('/')[0] || happened.Node == "gate-1" || happened.Kind == "moved")
            Say($"{happened.Node,-7} {happened.Kind} {happened.Subject} {(happened.Why.Length > 0 ? "· " + happened.Why : "")}");
    }

    private async Task DrawAsync()
    {
        using var timer = new PeriodicTimer(Frame, TimeProvider.System);
        try
        {
            while (await timer.WaitForNextTickAsync(_end.Token))
            {
                if (_frames % 2 == 0)
                    await ReadLevelsAsync();
                lock (_lock)
                {
                    Look();
                    if (_live)
                    {
                        Erase();
                        Paint();
                    }
                    else if (_frames % PlainFrames == 0 && _rates.Length > 0)
                    {
                        Console.WriteLine($"  {Clock()}  {_rates} · {string.Join(" · ", _site.Nodes.Select(node => $"{node.Name} {_strips[node.Name][^1]} {Level(node)}"))}");
                    }
                    _frames++;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
    }

    private async Task ReadLevelsAsync()
    {
        foreach (var node in _site.Nodes.Take(2))
        {
            try
            {
                foreach (var peer in FirmwareJson.Items(System.Text.Json.Nodes.JsonNode.Parse(await node.Api.GetStringAsync("api/v1/peers", _end.Token))!).Select(FirmwareJson.Peer))
                    _levels[peer.Name] = peer.Status == "alive" ? peer.Level : -1;
            }
            catch (Exception exception) when (exception is HttpRequestException or System.Text.Json.JsonException)
            {
                // The node is away, or is coming up.
            }
        }
    }

    private void Look()
    {
        var live = _stream?.Copies.Last()?.Live ?? [];
        foreach (var node in _site.Nodes)
        {
            var copies = live.Count(copy => copy.StartsWith(node.Name + "/", StringComparison.Ordinal));
            var mark = copies > 1 ? '‼' : copies == 1 ? '█' : node.Firmware.IsRunning ? '·' : '×';
            _strips[node.Name].Remove(0, 1).Append(mark);
        }
        if (_stream is null)
            return;
        var now = TimeProvider.System.GetTimestamp();
        var (taken, results) = (_stream.Ledger.AcknowledgedCount, _stream.Ledger.ResultCount);
        if (_last.At != 0)
        {
            var seconds = TimeProvider.System.GetElapsedTime(_last.At, now).TotalSeconds;
            _rates = string.Create(CultureInfo.InvariantCulture, $"in {(taken - _last.In) / seconds,4:0}/s  out {(results - _last.Out) / seconds,4:0}/s  waiting {taken - results,4}");
        }
        _last = (taken, results, now);
    }

    private void Paint()
    {
        if (!_live)
            return;
        Console.WriteLine();
        foreach (var node in _site.Nodes)
            Console.WriteLine($"  {node.Name} {_strips[node.Name]} {Level(node),-8} cpu {Load(node),4:0%}");
        Console.WriteLine($"  {Clock()} {_rates}   █ workload lives here  · node up  × node down");
        _drawn = _site.Nodes.Count + 2;
    }

    private void Erase()
    {
        if (_drawn > 0)
            Console.Write($"\x1b[{_drawn}A\x1b[J");
        _drawn = 0;
    }

    private string Level(Node node) => !_levels.TryGetValue(node.Name, out var level) ? "level ?" : level < 0 ? "dead" : $"level {level}";

    /// <summary>Share of the node's quota since the last frame.</summary>
    private double Load(Node node)
    {
        var used = node.Cgroup.CpuTime();
        var before = _cpu.GetValueOrDefault(node.Name, used);
        _cpu[node.Name] = used;
        return (used - before).TotalSeconds / (Frame.TotalSeconds * _site.Options.NodeCores);
    }

    private string Clock() => $"{TimeProvider.System.GetElapsedTime(_start).TotalSeconds,6:0.0} s";

    private string Bold(string text) => _live ? $"\x1b[1m{text}\x1b[0m" : $"== {text}";

    private static string Cut(string line) => line.Length <= LineCharactersMax ? line : line[..(LineCharactersMax - 1)] + "…";
}
