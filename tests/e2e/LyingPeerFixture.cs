using System.Text.Json.Nodes;
using EdgeFirmware.Lab.Os;
using EdgeFirmware.Lab.Sites;

namespace EdgeFirmware.EndToEnd;

/// <summary>gate-2 reaches its engine through a proxy that can refuse what the node has promised; gate-3 keeps its data on a small disk.</summary>
public sealed class LyingPeerFixture : SiteFixture
{
    /// <summary>Little more than what a node keeps free before it offers anything.</summary>
    public const int SmallDiskMebibytes = 300;
    private EngineProxy? _proxy;

    public EngineProxy Proxy => _proxy ?? throw new InvalidOperationException("no proxy");

    /// <summary>The large image: too much to be sent in an instant.</summary>
    public const string LargeImage = "ballast:1";
    public const int BallastBytes = 24 << 20;

    protected override void Configure(int node, JsonObject configuration)
    {
        if (node == 2)
            configuration["Engine"] = new JsonObject { ["Socket"] = Path.Combine(Path.GetDirectoryName((string)configuration["DataDirectory"]!)!, "proxy.sock") };
    }

    protected override async Task PrepareAsync(Site site)
    {
        _proxy = new EngineProxy(Path.Combine(Gate2.Directory, "proxy.sock"), Gate2.Engine.Socket);
        await Gate1.Engine.LoadAsync(await Lab.Images.SampleImages.LargeAsync(site.Directory, LargeImage, BallastBytes));
        Directory.CreateDirectory(Gate3.DataDirectory);
        await Command.RunAsync("mount", "-t", "tmpfs", "-o", $"size={SmallDiskMebibytes}m,mode=0700", site.RunId, Gate3.DataDirectory);
    }

    protected override async Task CleanUpAsync()
    {
        if (_proxy is not null)
            await _proxy.DisposeAsync();
    }
}
