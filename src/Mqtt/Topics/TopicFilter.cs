namespace EdgeFirmware.Mqtt.Topics;

/// <summary>How two topic filters relate, for rules that say what may be subscribed to. Both must be valid, and without <c>$share</c>.</summary>
public static class TopicFilter
{
    /// <summary>Whether every topic that <paramref name="narrow"/> covers is covered by <paramref name="wide"/>.</summary>
    public static bool Covers(ReadOnlySpan<char> wide, ReadOnlySpan<char> narrow)
    {
        if (HidesFrom(wide, narrow)) return false;
        var outer = new TopicLevels(wide);
        var inner = new TopicLevels(narrow);
        while (outer.MoveNext())
        {
            if (outer.Current is "#") return true;
            if (!inner.MoveNext() || inner.Current is "#") return false;
            if (outer.Current is not "+" && !outer.Current.SequenceEqual(inner.Current)) return false;
        }

        return !inner.MoveNext();
    }

    /// <summary>Whether there is a topic that both cover.</summary>
    public static bool Overlap(ReadOnlySpan<char> left, ReadOnlySpan<char> right)
    {
        if (HidesFrom(left, right) || HidesFrom(right, left)) return false;
        var one = new TopicLevels(left);
        var other = new TopicLevels(right);
        while (true)
        {
            var hasOne = one.MoveNext();
            var hasOther = other.MoveNext();
            // "a/#" covers "a" too, so "#" meets the end of the other.
            if ((hasOne && one.Current is "#") || (hasOther && other.Current is "#")) return true;
            if (hasOne != hasOther) return false;
            if (!hasOne) return true;
            if (one.Current is not "+" && other.Current is not "+" && !one.Current.SequenceEqual(other.Current)) return false;
        }
    }

    /// <summary>Topics that begin with "$" are hidden from a wildcard in the first level [MQTT-4.7.2-1].</summary>
    private static bool HidesFrom(ReadOnlySpan<char> wildcard, ReadOnlySpan<char> filter) => filter is ['$', ..] && wildcard is ['+' or '#', ..];
}
