using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace EdgeFirmware.Architecture;

/// <summary>What keeps each project readable: a front page, short files, names that say something, nothing left half done.</summary>
public sealed partial class CraftTests
{
    private const int ReadmeLinesMax = 60;
    private const int FileLinesMax = 400;

    public static TheoryData<string> ProjectNames => [.. Repository.Projects.Select(project => project.Name)];

    [Theory]
    [MemberData(nameof(ProjectNames))]
    public void A_project_has_a_short_front_page(string name)
    {
        var path = Path.Combine(Repository.Project(name).Directory, "README.md");
        Assert.True(File.Exists(path), $"src/{name}/README.md is missing");
        Assert.InRange(File.ReadLines(path).Count(), 1, ReadmeLinesMax);
    }

    [Theory]
    [MemberData(nameof(ProjectNames))]
    public void No_file_is_longer_than_a_reader_can_hold(string name) =>
        Assert.Empty(Repository.Project(name).Files.Where(file => file.LineCount > FileLinesMax)
            .Select(file => $"{file.Path}: {file.LineCount} lines"));

    [Theory]
    [MemberData(nameof(ProjectNames))]
    public void No_type_has_a_name_that_says_nothing(string name)
    {
        var found = from file in Repository.Project(name).Files
                    from Match match in EmptyName().Matches(file.Code)
                    select $"{file.Path}: {match.Groups["name"].Value}";
        Assert.Empty(found);
    }

    [Theory]
    [MemberData(nameof(ProjectNames))]
    public void Nothing_is_left_half_done(string name)
    {
        var found = from file in Repository.Project(name).Files
                    from Match match in HalfDone().Matches(file.Text)
                    select $"{file.Path}: {match.Value}";
        Assert.Empty(found);
    }

    [Theory]
    [MemberData(nameof(ProjectNames))]
    public void A_project_is_compatible_with_Native_AOT(string name)
    {
        var switchedOff = Repository.Project(name).Definition.Descendants("IsAotCompatible").Any(IsFalse);
        Assert.False(switchedOff, $"src/{name} opts out of IsAotCompatible");
        Assert.True(AllOfSrcIsAotCompatible(), "Directory.Build.props no longer sets IsAotCompatible for src");
    }

    [Fact]
    public void No_project_file_publishes_with_AOT_by_itself() =>
        // It would make every plain restore ask for AOT packs: the scripts set it on the command line.
        Assert.Empty(Repository.Projects.Where(project => project.Definition.Descendants("PublishAot").Any()).Select(project => project.Name));

    private static bool AllOfSrcIsAotCompatible() =>
        XDocument.Load(Path.Combine(Repository.Root, "Directory.Build.props")).Descendants("IsAotCompatible").Any(element => !IsFalse(element));

    private static bool IsFalse(XElement element) => !bool.TryParse(element.Value, out var value) || !value;

    [GeneratedRegex(@"\b(class|struct|record|interface|enum)\s+(?<name>\w*(Manager|Helper|Helpers|Utils|Util|Common|Processor|Wrapper))\b")]
    private static partial Regex EmptyName();

    [GeneratedRegex(@"\b(TODO|FIXME|NotImplementedException)\b")]
    private static partial Regex HalfDone();
}
