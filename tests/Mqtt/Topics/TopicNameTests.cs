using EdgeFirmware.Mqtt.Topics;

namespace EdgeFirmware.Mqtt.Tests.Topics;

public sealed class TopicNameTests
{
    [Theory]
    [InlineData("a", true)]
    [InlineData("/", true)]
    [InlineData("a//b", true)]
    [InlineData("$SYS/x", true)]
    [InlineData("", false)]
    [InlineData("a/+", false)]
    [InlineData("#", false)]
    [InlineData("a\0b", false)]
    public void Names_have_no_wildcards(string name, bool valid) => Assert.Equal(valid, TopicName.IsValid(name));

    [Fact]
    public void Names_and_filters_are_at_most_65535_bytes()
    {
        Assert.True(TopicName.IsValid(new string('a', 65535)));
        Assert.False(TopicName.IsValid(new string('a', 65536)));
        Assert.False(TopicName.IsValidFilter(new string('ä', 32768)));
    }

    [Theory]
    [InlineData("#", true)]
    [InlineData("a/#", true)]
    [InlineData("+", true)]
    [InlineData("+/a/+", true)]
    [InlineData("/+", true)]
    [InlineData("a/b", true)]
    [InlineData("", false)]
    [InlineData("a#", false)]
    [InlineData("a/#/b", false)]
    [InlineData("#/", false)]
    [InlineData("a+/b", false)]
    [InlineData("a/+b", false)]
    [InlineData("##", false)]
    public void Wildcards_stand_alone_in_their_level(string filter, bool valid) => Assert.Equal(valid, TopicName.IsValidFilter(filter));

    [Theory]
    [InlineData("a/b", null, "a/b", true)]
    [InlineData("$share/g/a/b", "g", "a/b", true)]
    [InlineData("$share/g//", "g", "/", true)]
    [InlineData("$share/g/#", "g", "#", true)]
    [InlineData("$share/g", null, "", false)]
    [InlineData("$share//a", null, "", false)]
    [InlineData("$share/g/", "g", "", false)]
    [InlineData("$share/+/a", null, "", false)]
    [InlineData("$shared/g/a", null, "$shared/g/a", true)]
    public void Shared_filters_are_taken_apart(string text, string? group, string filter, bool valid)
    {
        Assert.Equal(valid, SharedFilter.TryParse(text, out var parsed));
        if (valid) Assert.Equal(new SharedFilter(group, filter), parsed);
    }
}
