using System.Globalization;
using Xunit.Abstractions;

namespace EdgeFirmware.Mesh.Tests.Membership;

/// <summary>Many random lives of a mesh. <c>EDGE_MEMBERSHIP=5000</c> runs more of them.</summary>
public sealed class MembershipCampaignTests(ITestOutputHelper output)
{
    private const int SchedulesMin = 100;

    [Fact]
    public void Whatever_happens_one_view_remains_and_nobody_is_wrong()
    {
        var one = Setting("EDGE_MEMBERSHIP_SEED");
        var first = one ?? 0;
        var last = one ?? (Setting("EDGE_MEMBERSHIP") ?? SchedulesMin) - 1;
        for (var seed = first; seed <= last; seed++)
            if (new MembershipSchedule(seed).Run() is { Length: > 0 } fault)
                Assert.Fail($"{fault}\nreplay with: EDGE_MEMBERSHIP_SEED={seed} dotnet test tests/Mesh --filter MembershipCampaignTests");
        output.WriteLine($"{last - first + 1} schedules");
    }

    private static int? Setting(string name) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;
}
