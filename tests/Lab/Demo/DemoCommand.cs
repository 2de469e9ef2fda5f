using EdgeFirmware.Lab.Images;
using EdgeFirmware.Lab.Sites;

namespace EdgeFirmware.Lab.Demo;

/// <summary>Builds the site, plays the scenario on the terminal, prints the table, takes everything down and looks whether it is gone.</summary>
public static class DemoCommand
{
    /// <returns>0 when everything was as expected.</returns>
    public static async Task<int> RunAsync(CancellationToken cancel)
    {
        Console.WriteLine("Building the sample workload and a site of three nodes …");
        await SampleImages.BuildSampleAsync();
        string runId;
        int failures;
        await using (var site = await Site.BuildAsync(new SiteOptions()))
        {
            runId = site.RunId;
            failures = await PlayAsync(site, cancel);
        }
        var left = await LabRun.LeftOverAsync(runId);
        Console.WriteLine(left.Length == 0
            ? "Nothing is left behind: no process, namespace, interface, mount, cgroup or file."
            : $"LEFT BEHIND:\n{left}");
        return failures == 0 && left.Length == 0 ? 0 : 1;
    }

    private static async Task<int> PlayAsync(Site site, CancellationToken cancel)
    {
        DemoReport report;
        await using (var terminal = new Terminal(site))
        {
            await site.StartFirmwareAsync(cancel);
            report = await new Scenario(site, terminal).RunAsync(terminal.Watch, cancel);
        }
        Console.WriteLine();
        Console.WriteLine(ReportTable.Render(report));
        foreach (var failure in report.Failures)
            Console.WriteLine($"NOT AS EXPECTED: {failure}");
        Console.WriteLine(report.Failures.Count == 0 ? "Everything was as expected." : $"{report.Failures.Count} expectations failed.");
        return report.Failures.Count;
    }
}
