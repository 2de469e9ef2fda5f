namespace EdgeFirmware.Mqtt.Topics;

/// <summary>
/// Subscriptions by filter, one node for each level. The cost of a match grows with the levels of the name and with what matches,
/// not with how many other filters there are. Filters must be valid. Not thread safe.
/// </summary>
/// <typeparam name="T">What is subscribed; compared by reference.</typeparam>
internal sealed class TopicTrie<T>
    where T : class
{
    private readonly Node _root = new();

    /// <summary>Number of entries.</summary>
    public int Count { get; private set; }

    public void Add(string filter, T entry)
    {
        var node = _root;
        for (var levels = new TopicLevels(filter); levels.MoveNext();) node = node.GetOrAdd(levels.Current);
        node.Entries.Add(entry);
        Count++;
    }

    /// <summary>False when it was not there.</summary>
    public bool Remove(string filter, T entry)
    {
        if (!Remove(_root, new TopicLevels(filter), entry)) return false;
        Count--;
        return true;
    }

    /// <summary>The entry under exactly this filter that satisfies <paramref name="wanted"/>.</summary>
    public T? Find(string filter, Predicate<T> wanted)
    {
        var node = _root;
        for (var levels = new TopicLevels(filter); levels.MoveNext();)
        {
            if (node.Child(levels.Current) is not { } child) return null;
            node = child;
        }

        return node.Entries.Find(wanted);
    }

    /// <summary>Appends every entry whose filter covers the topic name.</summary>
    public void Match(string topic, List<T> matches)
    {
        var levels = new TopicLevels(topic);
        // Names that begin with "$" are hidden from a wildcard in the first level [MQTT-4.7.2-1].
        Match(_root, levels, topic.StartsWith('$'), matches);
    }

    /// <summary>Whether any filter begins with this literal level.</summary>
    public bool HasFirstLevel(string level) => _root.Child(level) is not null;

    private static void Match(Node node, TopicLevels levels, bool hideWildcards, List<T> matches)
    {
        if (!hideWildcards && node.Rest is { } rest) matches.AddRange(rest.Entries);
        if (!levels.MoveNext())
        {
            matches.AddRange(node.Entries);
            return;
        }

        if (!hideWildcards && node.Any is { } any) Match(any, levels, false, matches);
        if (node.Literal(levels.Current) is { } child) Match(child, levels, false, matches);
    }

    private static bool Remove(Node node, TopicLevels levels, T entry)
    {
        if (!levels.MoveNext()) return node.RemoveEntry(entry);
        if (node.Child(levels.Current) is not { } child || !Remove(child, levels, entry)) return false;
        if (child.IsEmpty) node.RemoveChild(levels.Current);
        return true;
    }

    private sealed class Node
    {
        private Dictionary<string, Node>? _children;

        public List<T> Entries { get; } = new(0);

        /// <summary>The child "+".</summary>
        public Node? Any { get; private set; }

        /// <summary>The child "#".</summary>
        public Node? Rest { get; private set; }

        public bool IsEmpty => Entries.Count == 0 && Any is null && Rest is null && _children is not { Count: > 0 };

        public Node? Literal(ReadOnlySpan<char> level) =>
            _children is not null && _children.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(level, out var child) ? child : null;

        public Node? Child(ReadOnlySpan<char> level) => level switch
        {
            "+" => Any,
            "#" => Rest,
            _ => Literal(level),
        };

        public Node GetOrAdd(ReadOnlySpan<char> level)
        {
            if (Child(level) is { } existing) return existing;
            var added = new Node();
            switch (level)
            {
                case "+": Any = added; break;
                case "#": Rest = added; break;
                default: (_children ??= new(1, StringComparer.Ordinal)).Add(level.ToString(), added); break;
            }

            return added;
        }

        public void RemoveChild(ReadOnlySpan<char> level)
        {
            switch (level)
            {
                case "+": Any = null; break;
                case "#": Rest = null; break;
                default: _children!.GetAlternateLookup<ReadOnlySpan<char>>().Remove(level); break;
            }

            if (_children is { Count: 0 }) _children = null;
        }

        /// <summary>The order of entries means nothing, so the last one fills the gap.</summary>
        public bool RemoveEntry(T entry)
        {
            var index = Entries.IndexOf(entry);
            if (index < 0) return false;
            Entries[index] = Entries[^1];
            Entries.RemoveAt(Entries.Count - 1);
            if (Entries.Count == 0) Entries.Capacity = 0;
            return true;
        }
    }
}
