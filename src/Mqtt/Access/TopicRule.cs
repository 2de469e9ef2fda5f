using EdgeFirmware.Mqtt.Topics;

namespace EdgeFirmware.Mqtt.Access;

/// <summary>
/// One line of what somebody may do: <c>allow read,write site/%u/#</c> or <c>deny write site/+/config</c>. Rules have no order: what any rule
/// denies is denied, else what any rule allows is allowed, and the rest is denied. Compare with <see cref="TopicRules"/>.
/// </summary>
/// <param name="Pattern">
/// A topic filter in which <c>%u</c> stands for the user's name and <c>%c</c> for the client id. As in filters, a wildcard in the first level does
/// not cover topics that begin with "$".
/// </param>
public sealed record TopicRule(bool IsAllowed, TopicRights Rights, string Pattern)
{
    public const int PatternCharsMax = 1024;

    /// <summary>All rights to all topics but those that begin with "$".</summary>
    public static readonly TopicRule AllowAll = new(true, TopicRights.All, "#");

    /// <exception cref="ArgumentException">It is no pattern.</exception>
    public string Pattern { get; } = PatternFault(Pattern) is { Length: > 0 } fault ? throw new ArgumentException(fault, nameof(Pattern)) : Pattern;

    /// <summary>Null when the text is no rule; then <paramref name="fault"/> says why.</summary>
    public static TopicRule? Parse(string text, out string fault)
    {
        // The pattern is the rest of the line, as topics may contain spaces.
        var parts = text.Split(' ', 3, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length < 3 || parts[0] is not ("allow" or "deny"))
        {
            fault = $"'{text}': expected 'allow' or 'deny', rights and a topic pattern, for example 'allow read,write site/%u/#'";
            return null;
        }

        fault = RightsFault(parts[1], out var rights);
        if (fault.Length == 0) fault = PatternFault(parts[2]);
        return fault.Length == 0 ? new TopicRule(parts[0] == "allow", rights, parts[2]) : null;
    }

    /// <summary>Why <paramref name="text"/> names no rights; empty when it does.</summary>
    public static string RightsFault(string text, out TopicRights rights)
    {
        rights = TopicRights.None;
        foreach (var word in text.Split(','))
        {
            TopicRights? named = word switch
            {
                "read" => TopicRights.Read,
                "write" => TopicRights.Write,
                "retain" => TopicRights.Retain,
                "all" => TopicRights.All,
                _ => null,
            };
            if (named is not { } right) return $"'{word}' is no right: read, write, retain or all, separated by commas";
            rights |= right;
        }

        return string.Empty;
    }

    /// <summary>Why it is no pattern; empty when it is one.</summary>
    public static string PatternFault(string pattern)
    {
        if (pattern.Length > PatternCharsMax) return $"a pattern has at most {PatternCharsMax} characters";
        for (var at = pattern.IndexOf('%', StringComparison.Ordinal); at >= 0; at = pattern.IndexOf('%', at + 1))
        {
            if (at + 1 == pattern.Length || pattern[at + 1] is not ('u' or 'c')) return $"'{pattern}': '%' is followed by u or c";
        }

        if (SharedFilter.HasPrefix(pattern)) return $"'{pattern}': a rule is about topics, whatever the share";
        return TopicName.IsValidFilter(pattern) ? string.Empty : $"'{pattern}' is no topic filter";
    }

    /// <summary>As <see cref="Parse"/> reads it.</summary>
    public override string ToString()
    {
        var named = new List<string>();
        if (Rights.HasFlag(TopicRights.Read)) named.Add("read");
        if (Rights.HasFlag(TopicRights.Write)) named.Add("write");
        if (Rights.HasFlag(TopicRights.Retain)) named.Add("retain");
        var rights = Rights == TopicRights.All ? "all" : string.Join(',', named);
        return $"{(IsAllowed ? "allow" : "deny")} {rights} {Pattern}";
    }
}
