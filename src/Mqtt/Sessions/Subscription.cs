namespace EdgeFirmware.Mqtt.Sessions;

/// <summary>One filter of one session.</summary>
/// <param name="text">As the client wrote it, with <c>$share</c>.</param>
/// <param name="filter">What topic names are matched against.</param>
internal sealed class Subscription(Session session, string text, string filter) : Route
{
    public Session Session => session;

    public string Text => text;

    public string Filter => filter;

    public SubscriptionOptions Options { get; set; }

    /// <summary>The subscription identifier, in the form a PUBLISH wants it; null for none.</summary>
    public uint[]? Ids { get; set; }

    /// <summary>The group for a shared subscription.</summary>
    public SharedGroup? Group { get; set; }

    /// <summary>The tap delivers its messages; it is not in the trie.</summary>
    public bool Elsewhere { get; set; }
}
