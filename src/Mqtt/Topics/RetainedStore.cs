using EdgeFirmware.Mqtt.Access;
using EdgeFirmware.Mqtt.Durability;

namespace EdgeFirmware.Mqtt.Topics;

/// <summary>
/// The last retained message of each topic, in a tree so that a wildcard visits only what it covers. Bounded in messages and bytes;
/// over the bound a new topic is refused, because dropping another's retained state would be worse. Not thread safe.
/// </summary>
internal sealed class RetainedStore(int messagesMax, long bytesMax)
{
    /// <summary>A node, its name and its place in the level above.</summary>
    private const int NodeBytes = 128;

    private readonly Node _root = new();

    public int Count { get; private set; }

    public long Bytes { get; private set; }

    /// <summary>How many of them will expire.</summary>
    public int Expiring { get; private set; }

    /// <summary>Whether <see cref="Set"/> would succeed.</summary>
    public bool HasRoomFor(MqttMessage message) => message.Payload.IsEmpty || HasRoomFor(message, Find(message.Topic)?.Message);

    /// <summary>Which of the publisher's accounts has no room for it, if any.</summary>
    public QuotaAccount? FullFor(MqttMessage message, QuotaAccount[] accounts)
    {
        if (accounts.Length == 0 || message.Payload.IsEmpty) return null;
        var replaced = Find(message.Topic)?.Message;
        return accounts.FullForRetained(BytesOf(message), replaced, replaced is null ? 0 : BytesOf(replaced.Message));
    }

    /// <summary>Stores the message, or removes the topic's when the payload is empty [MQTT-3.3.1-6]. False: no room.</summary>
    /// <param name="accounts">The publisher's, to be charged for it; whether they have room for it is not asked.</param>
    public bool Set(MqttMessage message, TimeSpan? expiresAt, StoredMessage? stored = null, string? publisher = null, QuotaAccount[]? accounts = null)
    {
        if (message.Payload.IsEmpty)
        {
            Remove(message.Topic);
            return true;
        }

        var replaced = Find(message.Topic)?.Message;
        if (!HasRoomFor(message, replaced)) return false;
        var added = BytesOf(message) - (replaced is null ? 0 : BytesOf(replaced.Message));

        var node = _root;
        for (var levels = new TopicLevels(message.Topic); levels.MoveNext();) node = node.GetOrAdd(levels.Current);
        if (replaced is null) Count++;
        if (replaced is { ExpiresAt: not null }) Expiring--;
        if (expiresAt is not null) Expiring++;
        Bytes += added;
        if (replaced is not null) Charge(replaced, -1);
        node.Message = new RetainedMessage(message, expiresAt, stored, publisher) { Accounts = accounts ?? [] };
        Charge(node.Message, 1);
        return true;
    }

    public bool Contains(string topic) => Find(topic)?.Message is not null;

    /// <summary>The topic's message as the journal knows it.</summary>
    public StoredMessage? StoredOf(string topic) => Find(topic)?.Message?.Stored;

    /// <summary>Appends every message that the journal knows.</summary>
    public void CaptureTo(List<JournalEntry> entries)
    {
        var all = new List<RetainedMessage>();
        Collect(_root, isRoot: false, TimeSpan.MinValue, all);
        foreach (var retained in all)
        {
            if (retained.Stored is { } stored) entries.Add(new(EntryKind.Retained, 0, 0, stored));
        }
    }

    public void Remove(string topic) => Remove(_root, new TopicLevels(topic));

    /// <summary>Appends the live messages whose topic the filter covers.</summary>
    public void Match(string filter, TimeSpan now, List<RetainedMessage> matches) =>
        Match(_root, new TopicLevels(filter), isRoot: true, now, matches);

    /// <summary>Forgets what has expired.</summary>
    public void Sweep(TimeSpan now)
    {
        if (Expiring == 0) return;
        var all = new List<RetainedMessage>();
        Collect(_root, isRoot: false, TimeSpan.MinValue, all);
        foreach (var retained in all)
        {
            if (retained.IsExpired(now)) Remove(retained.Message.Topic);
        }
    }

    private bool HasRoomFor(MqttMessage message, RetainedMessage? replaced) =>
        Bytes + BytesOf(message) - (replaced is null ? 0 : BytesOf(replaced.Message)) <= bytesMax && (replaced is not null || Count < messagesMax);

    /// <summary>With the nodes of its levels, as if no other topic shared them.</summary>
    public static int BytesOf(MqttMessage message) => message.QueuedBytes + (NodeBytes * TopicName.CountLevels(message.Topic));

    private static void Charge(RetainedMessage retained, int messages)
    {
        if (retained.Accounts.Length == 0) return;
        retained.Accounts.Charge(new QuotaUsage(RetainedMessages: messages, RetainedBytes: (long)messages * BytesOf(retained.Message)));
    }

    private Node? Find(string topic)
    {
        var node = _root;
        for (var levels = new TopicLevels(topic); levels.MoveNext();)
        {
            if (node.Child(levels.Current) is not { } child) return null;
            node = child;
        }

        return node;
    }

    private bool Remove(Node node, TopicLevels levels)
    {
        if (!levels.MoveNext())
        {
            if (node.Message is not { } retained) return false;
            Count--;
            if (retained.ExpiresAt is not null) Expiring--;
            Bytes -= BytesOf(retained.Message);
            Charge(retained, -1);
            node.Message = null;
            return true;
        }

        if (node.Child(levels.Current) is not { } child || !Remove(child, levels)) return false;
        if (child.IsEmpty) node.RemoveChild(levels.Current);
        return true;
    }

    private static void Match(Node node, TopicLevels levels, bool isRoot, TimeSpan now, List<RetainedMessage> matches)
    {
        if (!levels.MoveNext())
        {
            Take(node, now, matches);
            return;
        }

        switch (levels.Current)
        {
            case "#":
                if (!isRoot) Take(node, now, matches);
                Collect(node, isRoot, now, matches);
                return;
            case "+":
                foreach (var (level, child) in node.Children)
                {
                    if (!isRoot || !level.StartsWith('$')) Match(child, levels, false, now, matches);
                }

                return;
            default:
                if (node.Child(levels.Current) is { } literal) Match(literal, levels, false, now, matches);
                return;
        }
    }

    private static void Collect(Node node, bool isRoot, TimeSpan now, List<RetainedMessage> matches)
    {
        foreach (var (level, child) in node.Children)
        {
            if (isRoot && level.StartsWith('$')) continue;
            Take(child, now, matches);
            Collect(child, false, now, matches);
        }
    }

    private static void Take(Node node, TimeSpan now, List<RetainedMessage> matches)
    {
        if (node.Message is { } retained && !retained.IsExpired(now)) matches.Add(retained);
    }

    private sealed class Node
    {
        private static readonly Dictionary<string, Node> None = [];

        private Dictionary<string, Node> _children = None;

        public RetainedMessage? Message { get; set; }

        public Dictionary<string, Node> Children => _children;

        public bool IsEmpty => Message is null && _children.Count == 0;

        public Node? Child(ReadOnlySpan<char> level) =>
            _children.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(level, out var child) ? child : null;

        public Node GetOrAdd(ReadOnlySpan<char> level)
        {
            if (Child(level) is { } existing) return existing;
            if (ReferenceEquals(_children, None)) _children = new Dictionary<string, Node>(1, StringComparer.Ordinal);
            var added = new Node();
            _children.Add(level.ToString(), added);
            return added;
        }

        public void RemoveChild(ReadOnlySpan<char> level)
        {
            _children.GetAlternateLookup<ReadOnlySpan<char>>().Remove(level);
            if (_children.Count == 0) _children = None;
        }
    }
}
