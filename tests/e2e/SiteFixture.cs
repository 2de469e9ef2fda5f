using System.Text.Json.Nodes;
using EdgeFirmware.Lab.Images;
using EdgeFirmware.Lab.Sites;
using Xunit;

namespace EdgeFirmware.EndToEnd;

/// <summary>A site of three meshed nodes with the sample image on gate-1, shared by the tests of one class.</summary>
public class SiteFixture : IAsyncLifetime
{
    private static readonly string Logs = Path.Combine(Repository.Root, "out", "e2e-logs");
    private Site? _site;

    public Site Site => _site ?? throw new InvalidOperationException("the site was not built");

    public Node Gate1 => Site["gate-1"];

    public Node Gate2 => Site["gate-2"];

    public Node Gate3 => Site["gate-3"];

    public async Task InitializeAsync()
    {
        // All tests of the class are skipped then.
        if (Requirements.Missing() is not null)
            return;
        if (!File.Exists(NodeFirmware.Binary))
            throw new FileNotFoundException($"{NodeFirmware.Binary} is missing; run ./build.sh");
        if (Environment.GetEnvironmentVariable("EDGE_LAB_LOGS") is null)
            Environment.SetEnvironmentVariable("EDGE_LAB_LOGS", Logs);
        await SampleImages.BuildSampleAsync();
        _site = await Site.BuildAsync(new SiteOptions { Configure = Configure });
        try
        {
            await Gate1.Engine.LoadAsync(await SampleImages.ConvolutionAsync(_site.Directory));
            await PrepareAsync(_site);
            await _site.StartFirmwareAsync();
        }
        catch
        {
            await _site.DisposeAsync();
            throw;
        }
    }

    public async Task DisposeAsync()
    {
        if (_site is null)
            return;
        await _site.DisposeAsync();
        await CleanUpAsync();
        var left = await LabRun.LeftOverAsync(_site.RunId);
        if (left.Length > 0)
            throw new InvalidOperationException($"left behind:\n{left}");
    }

    /// <summary>Changes a node's configuration before its first start.</summary>
    protected virtual void Configure(int node, JsonObject configuration)
    {
    }

    /// <summary>Engines run, the firmware does not yet.</summary>
    protected virtual Task PrepareAsync(Site site) => Task.CompletedTask;

    protected virtual Task CleanUpAsync() => Task.CompletedTask;
}
