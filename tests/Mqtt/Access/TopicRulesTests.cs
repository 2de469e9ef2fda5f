using EdgeFirmware.Mqtt.Access;

namespace EdgeFirmware.Mqtt.Tests.Access;

public sealed class TopicRulesTests
{
    [Theory]
    [InlineData("allow read a/#", true, TopicRights.Read, "a/#")]
    [InlineData("deny write,retain site/%u/+", false, TopicRights.Write | TopicRights.Retain, "site/%u/+")]
    [InlineData("  allow   all   a topic/with spaces ", true, TopicRights.All, "a topic/with spaces")]
    public void A_rule_is_read(string text, bool allowed, TopicRights rights, string pattern)
    {
        var rule = TopicRule.Parse(text, out var fault);
        Assert.Equal((string.Empty, new TopicRule(allowed, rights, pattern)), (fault, rule));
        Assert.Equal(rule, TopicRule.Parse(rule!.ToString(), out _));
    }

    [Theory]
    [InlineData("")]
    [InlineData("allow")]
    [InlineData("allow read")]
    [InlineData("permit read a")]
    [InlineData("allow reed a")]
    [InlineData("allow read, a")]
    [InlineData("allow read a/#/b")]
    [InlineData("allow read a+")]
    [InlineData("allow read a%")]
    [InlineData("allow read %x/a")]
    [InlineData("allow read $share/g/a")]
    [InlineData("allow read a\0b")]
    public void What_is_no_rule_is_refused_with_the_reason(string text)
    {
        Assert.Null(TopicRule.Parse(text, out var fault));
        Assert.NotEmpty(fault);
    }

    [Fact]
    public void A_pattern_has_a_longest_length() => Assert.NotEmpty(TopicRule.PatternFault(new string('a', TopicRule.PatternCharsMax + 1)));

    [Theory]
    // rules; topic; may write
    [InlineData("", "a", false)]
    [InlineData("allow write a", "a", true)]
    [InlineData("allow write a", "a/b", false)]
    [InlineData("allow read a", "a", false)]
    [InlineData("allow write a/#", "a", true)]
    [InlineData("allow write a/#", "a/b/c", true)]
    [InlineData("allow write a/#", "ab", false)]
    [InlineData("allow write a/+/c", "a/b/c", true)]
    [InlineData("allow write a/+/c", "a/b/d", false)]
    [InlineData("allow write #", "a/b", true)]
    [InlineData("allow write #", "$x/b", false)]
    [InlineData("allow write $x/#", "$x/b", true)]
    [InlineData("allow write #;deny write a/secret/#", "a/secret/x", false)]
    [InlineData("deny write a/secret/#;allow write #", "a/secret/x", false)]
    [InlineData("deny read a;allow write #", "a", true)]
    [InlineData("allow write dev/%u/#", "dev/alice/t", true)]
    [InlineData("allow write dev/%u/#", "dev/bob/t", false)]
    [InlineData("allow write dev/x-%u-%c", "dev/x-alice-c1", true)]
    [InlineData("allow write %u", "alice", true)]
    [InlineData("allow write ", "", false)]
    public void Writing(string rules, string topic, bool allowed) => Assert.Equal(allowed, Compile(rules, "alice", "c1").MayWrite(topic));

    [Theory]
    [InlineData("allow read a/#", "a/+/b", true)]
    [InlineData("allow read a/#", "#", false)]
    [InlineData("allow read a/+", "a/#", false)]
    [InlineData("allow read a/#", "$share/g/a/b", true)]
    [InlineData("allow read a/#", "$share/g/#", false)]
    [InlineData("allow read a/#", "$share/a/b", false)]
    [InlineData("allow read #;deny read a/secret", "#", false)]
    [InlineData("allow read #;deny read a/secret", "a/+", false)]
    [InlineData("allow read #;deny read a/secret", "b/#", true)]
    [InlineData("allow read #;deny read a/secret", "a/+/b", true)]
    [InlineData("allow read #", "$SYS/#", false)]
    [InlineData("allow read $SYS/#", "$SYS/broker/uptime", true)]
    [InlineData("allow read dev/%u/#", "dev/alice/+", true)]
    [InlineData("allow read dev/%u/#", "dev/+/x", false)]
    [InlineData("allow write a", "a", false)]
    public void Subscribing(string rules, string filter, bool allowed) => Assert.Equal(allowed, Compile(rules, "alice", "c1").MaySubscribe(filter));

    [Fact]
    public void Retaining_is_a_right_of_its_own()
    {
        var rules = Compile("allow write a/#;allow retain a/b", "alice", "c1");
        Assert.Equal((true, false), (rules.MayWrite("a/c"), rules.MayRetain("a/c")));
        Assert.True(rules.MayRetain("a/b"));
        Assert.True(Compile("allow all #", "alice", "c1").MayRetain("a"));
    }

    [Theory]
    [InlineData("+")]
    [InlineData("#")]
    [InlineData("a/b")]
    [InlineData("/")]
    [InlineData("+/#")]
    [InlineData("x#")]
    [InlineData("x+y")]
    [InlineData("$SYS")]
    [InlineData("")]
    [InlineData("a\0b")]
    public void A_hostile_name_widens_nothing(string name)
    {
        foreach (var (user, client) in new[] { (name, "c1"), ("alice", name) })
        {
            var place = client == name ? "%c" : "%u";
            var allowing = Compile($"allow all dev/{place}/#;allow all {place}/#;allow all x-{place}", user, client);
            string[] topics = ["dev/a/b", "dev/a/b/c", "dev/x", "a/b/c", "SYS", "$SYS/broker", "x-a", "x-", "dev//x", "dev", name];
            Assert.All(topics, topic => Assert.False(allowing.MayWrite(topic), topic));
            string[] filters = ["#", "+/#", "dev/#", "dev/+/#", "dev/+", "$SYS/#", $"dev/{name}/#", $"{name}/#", $"x-{name}"];
            Assert.All(filters.Where(filter => filter.Length > 0), filter => Assert.False(allowing.MaySubscribe(filter), filter));

            // What was meant to be denied to this client is denied, and more.
            var denying = Compile($"allow all #;deny all dev/{place}/#", user, client);
            Assert.False(denying.MayWrite("dev/a/b"));
            Assert.False(denying.MaySubscribe("dev/+/x"));
            Assert.True(denying.MayWrite("other"));
        }
    }

    [Fact]
    public void What_a_name_puts_in_is_not_filled_again()
    {
        var rules = Compile("allow write dev/%u", "%c", "victim");
        Assert.True(rules.MayWrite("dev/%c"));
        Assert.False(rules.MayWrite("dev/victim"));
    }

    private static TopicRules Compile(string rules, string user, string clientId) =>
        new([.. rules.Split(';').Select(text => TopicRule.Parse(text, out _)).OfType<TopicRule>()], user, clientId);
}
