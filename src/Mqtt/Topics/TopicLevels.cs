namespace EdgeFirmware.Mqtt.Topics;

/// <summary>Walks the levels between the slashes of a topic; "/a" has an empty first level.</summary>
internal ref struct TopicLevels(ReadOnlySpan<char> topic)
{
    private ReadOnlySpan<char> _rest = topic;

    public ReadOnlySpan<char> Current { get; private set; }

    /// <summary>Whether <see cref="Current"/> is the last level.</summary>
    public bool IsLast { get; private set; }

    public bool MoveNext()
    {
        if (IsLast) return false;
        var slash = _rest.IndexOf('/');
        IsLast = slash < 0;
        Current = IsLast ? _rest : _rest[..slash];
        if (!IsLast) _rest = _rest[(slash + 1)..];
        return true;
    }
}
