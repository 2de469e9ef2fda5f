using EdgeFirmware.Mqtt.Topics;

namespace EdgeFirmware.Mqtt.Tests.Topics;

/// <summary>Every filter of up to three levels against every other, with topics enough to tell them apart as the judge.</summary>
public sealed class TopicFilterTests
{
    private static readonly string[] Filters = [.. Levels(["a", "b", "", "$x", "+", "#"], 3).Where(filter => TopicName.IsValidFilter(filter))];
    // With the empty one, which is no topic: "/#" would cover it, and that it overlaps "+" there does no harm.
    private static readonly string[] Names = [.. Levels(["a", "b", "z", "", "$x"], 4)];

    [Fact]
    public void A_filter_that_covers_another_matches_all_that_the_other_does()
    {
        foreach (var wide in Filters)
        {
            foreach (var narrow in Filters)
            {
                if (TopicFilter.Covers(wide, narrow)) Assert.All(Names, name => Assert.True(!TopicName.Matches(narrow, name) || TopicName.Matches(wide, name)));
            }
        }
    }

    [Fact]
    public void Filters_overlap_when_there_is_a_topic_that_both_match()
    {
        foreach (var left in Filters)
        {
            foreach (var right in Filters)
            {
                var shared = Array.Find(Names, name => TopicName.Matches(left, name) && TopicName.Matches(right, name));
                Assert.True(TopicFilter.Overlap(left, right) == shared is not null, $"{left} and {right}: {shared ?? "nothing"}");
            }
        }
    }

    [Theory]
    [InlineData("#", "a/#", true)]
    [InlineData("#", "$SYS/#", false)]
    [InlineData("+/b", "$x/b", false)]
    [InlineData("$SYS/#", "$SYS/broker/+", true)]
    [InlineData("a/#", "a", true)]
    [InlineData("a/#", "a/+/b/#", true)]
    [InlineData("a/+", "a/b", true)]
    [InlineData("a/+", "a/#", false)]
    [InlineData("a/b", "a/+", false)]
    [InlineData("a/+/c", "a/+/c", true)]
    [InlineData("a/b", "a/b/c", false)]
    [InlineData("a/b/c", "a/b", false)]
    public void Covering(string wide, string narrow, bool covers) => Assert.Equal(covers, TopicFilter.Covers(wide, narrow));

    private static IEnumerable<string> Levels(string[] alphabet, int depth) =>
        depth == 1 ? alphabet : alphabet.Concat(Levels(alphabet, depth - 1).SelectMany(rest => alphabet.Select(first => $"{first}/{rest}")));
}
