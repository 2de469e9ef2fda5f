using EdgeFirmware.Lab.Demo;
using Xunit;
using Xunit.Abstractions;

namespace EdgeFirmware.EndToEnd;

/// <summary>The same scenario as <c>./demo.sh</c>, on a site of its own because it ends with a dead node.</summary>
public sealed class DemoTests(SiteFixture fixture, ITestOutputHelper output) : IClassFixture<SiteFixture>
{
    [LabFact]
    public async Task The_demo_shows_what_it_promises()
    {
        var report = await new Scenario(fixture.Site, new TestOutputStage(output)).RunAsync();
        output.WriteLine(ReportTable.Render(report));
        Assert.True(report.Failures.Count == 0, string.Join('\n', report.Failures));
    }

    private sealed class TestOutputStage(ITestOutputHelper output) : IStage
    {
        public void Step(string title) => output.WriteLine($"== {title}");

        public void Say(string line) => output.WriteLine($"  {line}");
    }
}
