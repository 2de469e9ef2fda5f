using System.Globalization;
using System.Text.RegularExpressions;

namespace EdgeFirmware.Architecture;

/// <summary>docs/mqtt-conformance.md lists every statement of the specifications, and the tests it names exist.</summary>
public sealed partial class ConformanceTests
{
    /// <summary>Sections with the numbers of their statements. MQTT 5.0, appendix B.</summary>
    private const string Version5 =
        """
        1.5.4:1-3 1.5.5:1 1.5.7:1 2.1.3:1 2.2.1:2-6 2.2.2:1 3.1.0:1-2 3.1.2:1-30 3.1.3:1-12 3.1.4:1-6 3.2.0:1-2 3.2.2:1-22
        3.3.1:1-13 3.3.2:1-20 3.3.4:1-10 3.4.2:1-3 3.5.2:1-3 3.6.1:1 3.6.2:1-3 3.7.2:1-3 3.8.1:1 3.8.3:1-5 3.8.4:1-8 3.9.2:1-2 3.9.3:1-2
        3.10.1:1 3.10.3:1-2 3.10.4:1-6 3.11.2:1-2 3.11.3:1-2 3.12.4:1 3.14.0:1 3.14.1:1 3.14.2:1-4 3.14.4:1-3 3.15.1:1 3.15.2:1-3
        4.1.0:1-2 4.2:1 4.3.1:1 4.3.2:1-5 4.3.3:1-13 4.4.0:1-2 4.5.0:1-2 4.6.0:1-6 4.7.0:1 4.7.1:1-2 4.7.2:1 4.7.3:1-4 4.8.2:1-6 4.9.0:1-3
        4.12.0:1-7 4.12.1:1-2 4.13.1:1 4.13.2:1 6.0.0:1-3
        """;

    /// <summary>MQTT 3.1.1, appendix B; two numbers are misprinted there.</summary>
    private const string Version311 =
        """
        1.5.3:1-3 2.2.2:1-2 2.3.1:1-7 3.1.0:1-2 3.1.2:1-6 3.1.2:8-24 3.1.3:1-11 3.1.4:1-5 3.2.0:1 3.2.2:1-6 3.3.1:1-12 3.3.2:1-3 3.3.4:1 3.3.5:1-2
        3.6.1:1 3.8.1:1 3.8.3:1-3 3.8.4:1-6 3.9.3:1-2 3.10.1:1 3.10.3:1-2 3.10.4:1-6 3.12.4:1 3.14.1:1 3.14.4:1-3 4.1.0:1-2 4.3.1:1 4.3.2:1-2
        4.3.3:1-2 4.4.0:1 4.5.0:1-2 4.6.0:1-6 4.7.1:1-3 4.7.2:1 4.7.3:1-4 4.8.0:1-2 6.0.0:1-3 7.0.0:1-2 7.1.1:1 7.1.2:1
        """;

    private static readonly string[] Misprinted = ["3.1.2.7", "3-8.3-4"];

    private static readonly string Document = File.ReadAllText(Path.Combine(Repository.Root, "docs", "mqtt-conformance.md"));

    [Theory]
    [InlineData("MQTT 5.0")]
    [InlineData("MQTT 3.1.1")]
    public void No_statement_is_missing_and_none_is_listed_twice(string version)
    {
        var chapter = Document.Split("\n## ").Single(part => part.StartsWith(version, StringComparison.Ordinal));
        IEnumerable<string> wanted = version == "MQTT 5.0" ? Numbers(Version5) : Numbers(Version311).Concat(Misprinted);
        Assert.Equal(wanted.Order(StringComparer.Ordinal),
            Row().Matches(chapter).Select(row => row.Groups["number"].Value).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_statement_names_a_test_and_every_test_exists()
    {
        var sources = Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests"), "*.cs", SearchOption.AllDirectories)
            .Where(Repository.IsSource)
            .ToLookup(Path.GetFileNameWithoutExtension, File.ReadAllText, StringComparer.Ordinal);
        foreach (Match row in Row().Matches(Document))
        {
            var tests = TestName().Matches(row.Groups["tests"].Value);
            Assert.True(tests.Count > 0, $"{row.Groups["number"].Value} has no test");
            foreach (Match test in tests)
            {
                var method = $" {test.Groups["method"].Value}(";
                Assert.True(sources[test.Groups["class"].Value].Any(text => text.Contains(method, StringComparison.Ordinal)),
                    $"there is no {test.Value}");
            }
        }
    }

    private static IEnumerable<string> Numbers(string sections)
    {
        foreach (var section in sections.Split((char[])[' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries))
        {
            var (name, numbers) = section.Split(':') is [var first, var rest] ? (first, rest.Split('-')) : throw new FormatException(section);
            var last = int.Parse(numbers[^1], CultureInfo.InvariantCulture);
            for (var number = int.Parse(numbers[0], CultureInfo.InvariantCulture); number <= last; number++) yield return $"{name}-{number}";
        }
    }

    [GeneratedRegex(@"^\| (?<number>\d[\d.-]+) \|[^|]*\| (both|server|client) \| (?<tests>.*) \|$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("`(?<class>\\w+)\\.(?<method>\\w+)`")]
    private static partial Regex TestName();
}
