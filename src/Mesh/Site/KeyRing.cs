using EdgeFirmware.Contracts;
using EdgeFirmware.Mesh.Wire;

namespace EdgeFirmware.Mesh.Site;

/// <summary>Which gossip keys a node opens with and which it seals with, so that a change of keys loses no member: a new key is first accepted,
/// and used only when it has had time to reach everybody; the one before is let go only when everybody has had time to change.</summary>
public sealed class KeyRing
{
    private readonly KeyRingTiming _timing;
    private readonly List<GossipKey> _held = [];
    private GossipKeys _keys;
    private Instant _changeAt = Instant.Never;
    private Instant _retireAt = Instant.Never;

    /// <param name="keys">As read from disk: others have used the newest for as long as this node was off.</param>
    public KeyRing(GossipKeys keys, KeyRingTiming timing)
    {
        _timing = timing;
        _keys = keys;
        _held.AddRange(keys.Keys);
        SendWith = keys.Newest.Number;
    }

    public GossipKeys Keys => _keys;

    /// <summary>Those that are accepted; a new list each time it changes.</summary>
    public IReadOnlyList<GossipKey> Held => _held.ToArray();

    public uint SendWith { get; private set; }

    public Instant NextWakeup => Instant.Min(_changeAt, _retireAt);

    /// <param name="isInUse">Another node seals with the newest of them already: who hears of it so late must not wait as well.</param>
    /// <returns>Whether it is newer than what is known.</returns>
    public bool Accept(GossipKeys keys, bool isInUse, Instant now)
    {
        if (keys.Number <= _keys.Number)
            return false;
        _keys = keys;
        // The one that is sent with stays until the change; everything else comes from the new set.
        for (var i = _held.Count - 1; i >= 0; i--)
            if (_held[i].Number != SendWith)
                _held.RemoveAt(i);
        foreach (var key in keys.Keys)
            if (!Holds(key.Number))
                _held.Add(key);
        RemoveLookalikes();
        var waits = !isInUse && keys.Keys[0].Number == SendWith && keys.Keys.Count > 1; // who has missed a key is late in any case
        _changeAt = waits ? now + (keys.IsUrgent ? _timing.SpreadUrgent : _timing.Spread) : now;
        _retireAt = Instant.Never;
        return true;
    }

    /// <returns>Whether what is held or sent with has changed.</returns>
    public bool Advance(Instant now)
    {
        var changed = false;
        if (_changeAt <= now)
        {
            _changeAt = Instant.Never;
            changed = SendWith != _keys.Newest.Number;
            SendWith = _keys.Newest.Number;
            _retireAt = _held.Count > 1 ? now + (_keys.IsUrgent ? _timing.GraceUrgent : _timing.Grace) : Instant.Never;
        }
        if (_retireAt <= now)
        {
            _retireAt = Instant.Never;
            changed |= _held.RemoveAll(key => key.Number != SendWith) > 0;
        }
        return changed;
    }

    private bool Holds(uint number)
    {
        foreach (var key in _held)
            if (key.Number == number)
                return true;
        return false;
    }

    /// <summary>After sixteen changes an old key cannot be told from a new one in a datagram: the old one goes.</summary>
    private void RemoveLookalikes()
    {
        _held.RemoveAll(IsHidden);
        if (!Holds(SendWith))
            SendWith = _keys.Newest.Number;
    }

    private bool IsHidden(GossipKey key)
    {
        foreach (var other in _held)
            if (other.Number > key.Number && ((other.Number ^ key.Number) & GossipKey.NumberMask) == 0)
                return true;
        return false;
    }
}

/// <summary>How long a change of gossip keys takes.</summary>
public sealed record KeyRingTiming
{
    /// <summary>From hearing of a key to using it. News goes round a site of a thousand nodes in seconds; a node whose link is just then away
    /// has a minute.</summary>
    public TimeSpan Spread { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The same when a node has been shut out: it listens to what is said meanwhile.</summary>
    public TimeSpan SpreadUrgent { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>From using a key to refusing the one before.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The node that has been shut out can speak for as long. Who has not heard of the new key by then asks for it.</summary>
    public TimeSpan GraceUrgent { get; init; } = TimeSpan.FromSeconds(10);
}
