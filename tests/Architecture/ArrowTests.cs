namespace EdgeFirmware.Architecture;

/// <summary>Who may reference whom: siblings meet in Contracts and are wired together in Firmware.</summary>
public sealed class ArrowTests
{
    private static readonly Dictionary<string, string[]> Allowed = new(StringComparer.Ordinal)
    {
        ["Contracts"] = [],
        ["Mqtt"] = [],
        ["Mesh"] = ["Contracts"],
        ["Workloads"] = ["Contracts"],
        ["Overlay"] = ["Contracts"],
        ["CloudLink"] = ["Contracts"],
        ["Functions"] = ["Contracts"],
        ["Guard"] = ["Contracts"],
        ["Twin"] = ["Contracts"],
        ["Platform"] = ["Contracts"],
    };

    /// <summary>Programs wire things together and may reference everything under src but each other.</summary>
    private static readonly string[] Programs = ["Firmware", "Registry"];

    public static TheoryData<string> ProjectNames => [.. Repository.Projects.Select(project => project.Name)];

    [Theory]
    [MemberData(nameof(ProjectNames))]
    public void A_project_references_only_what_the_rule_of_arrows_allows(string name)
    {
        var arrows = Repository.Project(name).Arrows;
        if (Programs.Contains(name))
        {
            Assert.DoesNotContain(arrows, Programs.Contains);
            return;
        }
        Assert.True(Allowed.TryGetValue(name, out var allowed), $"src/{name} is new: say in {nameof(ArrowTests)} what it may reference");
        Assert.Empty(arrows.Except(allowed!));
    }

    [Theory]
    [MemberData(nameof(ProjectNames))]
    public void Nothing_outside_src_is_referenced_from_src(string name) =>
        Assert.All(Repository.Project(name).References, reference => Assert.StartsWith("src/", reference));

    [Theory]
    [MemberData(nameof(ProjectNames))]
    public void Namespaces_do_not_cross_the_arrows_either(string name)
    {
        var project = Repository.Project(name);
        if (Programs.Contains(name))
            return;
        var allowed = project.Arrows.Append(name).ToHashSet(StringComparer.Ordinal);
        var foreign = from file in project.Files
                      from other in Repository.Projects
                      where !allowed.Contains(other.Name) && file.Code.Contains($"using EdgeFirmware.{other.Name}", StringComparison.Ordinal)
                      select $"{file.Path} uses {other.Name}";
        Assert.Empty(foreign);
    }

    [Fact]
    public void Contracts_and_Mqtt_stand_alone()
    {
        Assert.Empty(Repository.Project("Contracts").References);
        Assert.Empty(Repository.Project("Mqtt").References);
    }

    [Fact]
    public void Contracts_needs_no_package() =>
        Assert.Empty(Repository.Project("Contracts").Definition.Descendants("PackageReference"));
}
