namespace EdgeFirmware.Mqtt.Topics;

/// <summary>A subscription's filter taken apart: <c>$share/group/filter</c> or just the filter (MQTT 5 section 4.8.2).</summary>
/// <param name="Group">The share name; null for an ordinary subscription.</param>
/// <param name="Filter">What is matched against topic names.</param>
internal readonly record struct SharedFilter(string? Group, string Filter)
{
    private const string Prefix = "$share/";

    public static bool HasPrefix(string filter) => filter.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>False when the filter is not valid, also when the share name is empty or has wildcards [MQTT-4.8.2-1, MQTT-4.8.2-2].</summary>
    public static bool TryParse(string text, out SharedFilter parsed)
    {
        parsed = new SharedFilter(null, text);
        if (!HasPrefix(text)) return TopicName.IsValidFilter(text);
        var slash = text.IndexOf('/', Prefix.Length);
        if (slash <= Prefix.Length) return false;
        var group = text[Prefix.Length..slash];
        parsed = new SharedFilter(group, text[(slash + 1)..]);
        return TopicName.IsValid(group) && TopicName.IsValidFilter(parsed.Filter);
    }
}
