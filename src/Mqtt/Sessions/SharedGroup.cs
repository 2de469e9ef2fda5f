namespace EdgeFirmware.Mqtt.Sessions;

/// <summary>The sessions that share one subscription; each message goes to one of them in turn (MQTT 5 section 4.8.2).</summary>
internal sealed class SharedGroup(string name, string filter) : Route
{
    private readonly List<Subscription> _members = [];
    private int _next;

    public string Name => name;

    public string Filter => filter;

    public bool IsEmpty => _members.Count == 0;

    public void Add(Subscription member) => _members.Add(member);

    public void Remove(Subscription member) => _members.Remove(member);

    /// <summary>The next connected member, or the next at all when none is connected.</summary>
    public Subscription Pick()
    {
        for (var i = 0; i < _members.Count; i++)
        {
            var candidate = Next();
            if (candidate.Session.Link is not null) return candidate;
        }

        return Next();
    }

    private Subscription Next()
    {
        if (_next >= _members.Count) _next = 0;
        return _members[_next++];
    }
}
