using EdgeFirmware.Mqtt.Topics;

namespace EdgeFirmware.Mqtt.Tests.Topics;

public sealed class TopicTrieTests
{
    [Theory]
    [InlineData("a/b", "a/b", true)]
    [InlineData("a/+", "a/b", true)]
    [InlineData("a/+", "a/", true)]
    [InlineData("a/+", "a", false)]
    [InlineData("a/#", "a", true)]
    [InlineData("a/#", "a/b/c", true)]
    [InlineData("a/#", "ab", false)]
    [InlineData("#", "a/b", true)]
    [InlineData("#", "$SYS/x", false)]
    [InlineData("+/x", "$SYS/x", false)]
    [InlineData("$SYS/#", "$SYS/x", true)]
    [InlineData("$SYS/+", "$SYS/x", true)]
    [InlineData("+/+", "/a", true)]
    [InlineData("/+", "/a", true)]
    [InlineData("+", "/a", false)]
    [InlineData("A", "a", false)]
    [InlineData("+/b/#", "a/b", true)]
    [InlineData("a/b/c", "a/b", false)]
    public void Filters_cover_names_as_the_specification_says(string filter, string name, bool covered)
    {
        Assert.Equal(covered, TopicName.Matches(filter, name));
        var trie = new TopicTrie<string>();
        trie.Add(filter, filter);
        Assert.Equal(covered, Match(trie, name).Count == 1);

        var store = new RetainedStore(10, 10_000);
        store.Set(Messages.Message(name), null);
        var found = new List<RetainedMessage>();
        store.Match(filter, TimeSpan.Zero, found);
        Assert.Equal(covered, found.Count == 1);
    }

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    public void Trie_and_retained_store_agree_with_a_naive_matcher(int seed)
    {
        var random = new Random(seed);
        var trie = new TopicTrie<string>();
        var store = new RetainedStore(1_000_000, long.MaxValue);
        var filters = new List<string>();
        var names = new HashSet<string>();
        for (var step = 0; step < 4000; step++)
        {
            if (filters.Count > 60 && random.Next(2) == 0)
            {
                var index = random.Next(filters.Count);
                Assert.True(trie.Remove(filters[index], filters[index]));
                filters.RemoveAt(index);
            }
            else
            {
                var filter = RandomTopic(random, wildcards: true);
                trie.Add(filter, filter);
                filters.Add(filter);
            }

            var name = RandomTopic(random, wildcards: false);
            var empty = random.Next(3) == 0;
            store.Set(Messages.Message(name, empty ? "" : "x"), null);
            if (empty) names.Remove(name);
            else names.Add(name);

            var expected = filters.Where(filter => TopicName.Matches(filter, name)).Order(StringComparer.Ordinal);
            Assert.Equal(expected, Match(trie, name).Order(StringComparer.Ordinal));

            var asked = RandomTopic(random, wildcards: true);
            var retained = new List<RetainedMessage>();
            store.Match(asked, TimeSpan.Zero, retained);
            var expectedNames = names.Where(candidate => TopicName.Matches(asked, candidate)).Order(StringComparer.Ordinal);
            Assert.Equal(expectedNames, retained.Select(message => message.Message.Topic).Order(StringComparer.Ordinal));
            Assert.Equal(names.Count, store.Count);
        }

        foreach (var filter in filters) Assert.True(trie.Remove(filter, filter));
        Assert.Equal(0, trie.Count);
        foreach (var name in names) store.Remove(name);
        Assert.Equal((0, 0L), (store.Count, store.Bytes));
    }

    [Fact]
    public void Removing_what_is_not_there_changes_nothing()
    {
        var trie = new TopicTrie<string>();
        trie.Add("a/+/c", "one");
        Assert.False(trie.Remove("a/+/c", "two"));
        Assert.False(trie.Remove("a/+", "one"));
        Assert.False(trie.Remove("a/+/c/d", "one"));
        Assert.Single(Match(trie, "a/b/c"));
    }

    [Fact]
    public void Retained_messages_are_bounded_in_number_and_bytes_and_expire()
    {
        var store = new RetainedStore(2, 2_000);
        Assert.True(store.Set(Messages.Message("a"), TimeSpan.FromSeconds(5)));
        Assert.True(store.Set(Messages.Message("b"), null));
        Assert.False(store.Set(Messages.Message("c"), null));
        Assert.False(store.Set(Messages.Message("b", new string('x', 4000)), null));
        Assert.True(store.Set(Messages.Message("b", "newer"), null));

        var found = new List<RetainedMessage>();
        store.Match("#", TimeSpan.FromSeconds(6), found);
        Assert.Equal("newer", Assert.Single(found).Message.Text());
        store.Sweep(TimeSpan.FromSeconds(6));
        Assert.Equal(1, store.Count);
    }

    private static List<string> Match(TopicTrie<string> trie, string name)
    {
        var matches = new List<string>();
        trie.Match(name, matches);
        return matches;
    }

    private static string RandomTopic(Random random, bool wildcards)
    {
        string[] literals = ["a", "b", "", "$SYS", "cc"];
        var levels = Enumerable.Range(0, random.Next(1, 5)).Select(_ => literals[random.Next(literals.Length)]).ToList();
        if (wildcards)
        {
            for (var i = 0; i < levels.Count; i++)
            {
                if (random.Next(3) == 0) levels[i] = "+";
            }

            if (random.Next(3) == 0) levels[^1] = "#";
        }

        var topic = string.Join('/', levels);
        return topic.Length == 0 ? "a" : topic;
    }
}
