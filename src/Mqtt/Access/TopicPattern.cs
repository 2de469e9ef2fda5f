using EdgeFirmware.Mqtt.Topics;

namespace EdgeFirmware.Mqtt.Access;

/// <summary>A rule's pattern with the names of one client in it: a plain topic filter, prepared to be asked often.</summary>
internal sealed class TopicPattern
{
    private readonly string _filter;

    /// <summary>The filter without "/#" when that is its only wildcard; the whole filter when it has none.</summary>
    private readonly string? _literal;

    private readonly bool _hasRest;

    private TopicPattern(string filter)
    {
        _filter = filter;
        CoversAll = filter == "#";
        _hasRest = filter.EndsWith("/#", StringComparison.Ordinal);
        var literal = _hasRest ? filter[..^2] : filter;
        _literal = literal.AsSpan().IndexOfAny('+', '#') < 0 ? literal : null;
    }

    /// <summary>Every topic but those that begin with "$".</summary>
    public bool CoversAll { get; }

    /// <summary>
    /// Puts the names in. One that would be more than a part of a level must never widen what is allowed: an allowing pattern with it covers
    /// nothing, which is null, and a denying one everything from that level on.
    /// </summary>
    public static TopicPattern? Of(TopicRule rule, string user, string clientId)
    {
        if (!rule.Pattern.Contains('%', StringComparison.Ordinal)) return new TopicPattern(rule.Pattern);
        var levels = rule.Pattern.Split('/');
        for (var i = 0; i < levels.Length; i++)
        {
            var isUsable = (IsUsable(user) || !levels[i].Contains("%u", StringComparison.Ordinal))
                && (IsUsable(clientId) || !levels[i].Contains("%c", StringComparison.Ordinal));
            if (isUsable)
            {
                levels[i] = Fill(levels[i], user, clientId);
                continue;
            }

            return rule.IsAllowed ? null : new TopicPattern(string.Join('/', [.. levels[..i], "#"]));
        }

        return new TopicPattern(string.Join('/', levels));
    }

    public bool Matches(string topic)
    {
        if (CoversAll) return !topic.StartsWith('$');
        if (_literal is null) return TopicName.Matches(_filter, topic);
        if (!topic.StartsWith(_literal, StringComparison.Ordinal)) return false;
        return topic.Length == _literal.Length || (_hasRest && topic[_literal.Length] == '/');
    }

    public bool Covers(string filter) => TopicFilter.Covers(_filter, filter);

    public bool Overlaps(string filter) => TopicFilter.Overlap(_filter, filter);

    /// <summary>Not empty, no wildcard, no further level, and not the "$" that stands for the broker's own topics.</summary>
    public static bool IsUsable(string name) => name.Length > 0 && name[0] != '$' && name.AsSpan().IndexOfAny("+#/\0") < 0;

    /// <summary>In one pass: what a name puts in is not looked at again.</summary>
    private static string Fill(string level, string user, string clientId)
    {
        var parts = level.Split('%');
        for (var i = 1; i < parts.Length; i++) parts[i] = (parts[i][0] == 'u' ? user : clientId) + parts[i][1..];
        return string.Concat(parts);
    }
}
