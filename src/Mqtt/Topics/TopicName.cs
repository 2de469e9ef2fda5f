using System.Text;

namespace EdgeFirmware.Mqtt.Topics;

/// <summary>What is a topic name and what is a topic filter (MQTT 5 section 4.7), and which names a filter covers.</summary>
public static class TopicName
{
    /// <summary>A name one may publish to: not empty, no wildcards, no U+0000, at most 65535 bytes.</summary>
    public static bool IsValid(ReadOnlySpan<char> name) =>
        !name.IsEmpty && name.IndexOfAny('+', '#', '\0') < 0 && FitsPrefix(name);

    /// <summary>
    /// A filter one may subscribe to, without <c>$share</c>: "#" alone in the last level [MQTT-4.7.1-1],
    /// "+" alone in its level [MQTT-4.7.1-2].
    /// </summary>
    public static bool IsValidFilter(ReadOnlySpan<char> filter)
    {
        if (filter.IsEmpty || filter.Contains('\0') || !FitsPrefix(filter)) return false;
        for (var levels = new TopicLevels(filter); levels.MoveNext();)
        {
            var level = levels.Current;
            if (level.IndexOfAny('+', '#') < 0) continue;
            if (level.Length != 1 || (level[0] == '#' && !levels.IsLast)) return false;
        }

        return true;
    }

    public static int CountLevels(ReadOnlySpan<char> topic) => 1 + topic.Count('/');

    /// <summary>Whether a valid filter covers a valid name; names that begin with "$" are hidden from wildcards [MQTT-4.7.2-1].</summary>
    public static bool Matches(ReadOnlySpan<char> filter, ReadOnlySpan<char> name)
    {
        if (name is ['$', ..] && filter is ['+' or '#', ..]) return false;
        var wanted = new TopicLevels(filter);
        var levels = new TopicLevels(name);
        while (wanted.MoveNext())
        {
            if (wanted.Current is "#") return true;
            if (!levels.MoveNext()) return false;
            if (wanted.Current is not "+" && !wanted.Current.SequenceEqual(levels.Current)) return false;
        }

        return !levels.MoveNext();
    }

    private static bool FitsPrefix(ReadOnlySpan<char> text) =>
        text.Length <= ushort.MaxValue / 3 || Encoding.UTF8.GetByteCount(text) <= ushort.MaxValue;
}
