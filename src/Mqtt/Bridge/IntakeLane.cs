namespace EdgeFirmware.Mqtt.Bridge;

/// <summary>What a lane of another node's bridge has said so far that shortens what it says next. Under the broker's lock, but for <see cref="Last"/>.</summary>
internal sealed class IntakeLane(string from, byte number)
{
    private readonly Dictionary<ushort, string> _topics = [];
    private long _last;

    public string From => from;

    public byte Number => number;

    /// <summary>Whose numbers its messages have; empty before it has begun.</summary>
    public Guid Stream { get; private set; }

    /// <summary>The message before; the caller's.</summary>
    public Task Last { get; set; } = Task.CompletedTask;

    /// <summary>Null: it makes no sense here. Nothing is remembered before <see cref="Accept"/>.</summary>
    public CarriedFrame? Decode(ReadOnlySpan<byte> body, int aliasMax)
    {
        var last = _last;
        if (!CarriedFrame.TryDecode(body, ref last, out var frame) || frame.Alias > aliasMax) return null;
        if (frame.Stream is null && Stream == Guid.Empty) return null;
        if (frame.Message.Topic.Length > 0) return frame;
        return frame.Stream is null && _topics.TryGetValue(frame.Alias, out var topic) ? frame.With(topic) : null;
    }

    public void Accept(in CarriedFrame frame)
    {
        if (frame.Stream is { } stream)
        {
            (Stream, _last) = (stream, 0);
            _topics.Clear();
        }

        if (frame.Number != 0) _last = frame.Number;
        if (frame.Alias != 0) _topics[frame.Alias] = frame.Message.Topic;
    }
}
