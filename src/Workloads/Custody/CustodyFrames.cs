using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Messaging;
using EdgeFirmware.Contracts.Peers;

namespace EdgeFirmware.Workloads.Custody;

/// <summary>Frames of a custody conversation; the inlet opens it. Integers are big endian, texts and blobs have a 4-byte length.</summary>
internal enum CustodyFrame : byte
{
    /// <summary>Inlet: workload, epoch, stream, and the lowest sequence it still has: what came before is confirmed.</summary>
    Open = 1,

    /// <summary>Owner: it runs here at that epoch.</summary>
    Ready = 2,

    /// <summary>Owner: it does not; text says why.</summary>
    Reject = 3,

    /// <summary>Inlet: sequence, message.</summary>
    Input = 4,

    /// <summary>Owner: sequence, results.</summary>
    Processed = 5,

    /// <summary>Inlet: sequence; its results are published.</summary>
    Committed = 6,
}

/// <summary>Writes frames; a frame that does not fit <see cref="PeerFrame.BodyBytesMax"/> is the caller's fault, messages are bounded.</summary>
internal sealed class CustodyWriter
{
    private readonly ArrayBufferWriter<byte> _buffer = new();

    public ReadOnlyMemory<byte> Written => _buffer.WrittenMemory;

    public CustodyWriter Begin()
    {
        _buffer.ResetWrittenCount();
        return this;
    }

    public CustodyWriter Int64(long value)
    {
        BinaryPrimitives.WriteInt64BigEndian(_buffer.GetSpan(8), value);
        _buffer.Advance(8);
        return this;
    }

    public CustodyWriter Guid(Guid value)
    {
        value.TryWriteBytes(_buffer.GetSpan(16));
        _buffer.Advance(16);
        return this;
    }

    public CustodyWriter Text(string? text)
    {
        if (text is null)
            return Int32(-1);
        var size = Encoding.UTF8.GetByteCount(text);
        Int32(size);
        Encoding.UTF8.GetBytes(text, _buffer.GetSpan(Math.Max(size, 1)));
        _buffer.Advance(size);
        return this;
    }

    public CustodyWriter Message(SensorMessage message)
    {
        Text(message.Topic);
        Blob(message.Payload.Span);
        Int32(message.Qos | (message.Retain ? 0x10 : 0));
        Text(message.ContentType);
        Text(message.ResponseTopic);
        Blob(message.CorrelationData.Span);
        Int32(message.UserProperties?.Count ?? 0);
        foreach (var (name, value) in message.UserProperties ?? [])
            Text(name).Text(value);
        return this;
    }

    public CustodyWriter Messages(IReadOnlyList<SensorMessage> messages)
    {
        Int32(messages.Count);
        foreach (var message in messages)
            Message(message);
        return this;
    }

    private CustodyWriter Int32(int value)
    {
        BinaryPrimitives.WriteInt32BigEndian(_buffer.GetSpan(4), value);
        _buffer.Advance(4);
        return this;
    }

    private void Blob(ReadOnlySpan<byte> bytes)
    {
        Int32(bytes.Length);
        _buffer.Write(bytes);
    }
}

/// <summary>Reads frames; throws <see cref="PeerException"/> on anything a <see cref="CustodyWriter"/> does not write.</summary>
internal ref struct CustodyReader(ReadOnlySpan<byte> body)
{
    private const int ResultsMax = 1024;

    /// <summary>MQTT's own bound on texts and correlation data (MQTT 5, section 1.5.4); a broker takes no more.</summary>
    private const int TextBytesMax = ushort.MaxValue;
    private const int UserPropertyBytesMin = 8;

    private ReadOnlySpan<byte> _rest = body;

    public long Int64() => BinaryPrimitives.ReadInt64BigEndian(Take(8));

    public Guid Guid() => new(Take(16));

    public WorkloadId Workload() => WorkloadId.TryParse(Text(), out var id) ? id : throw new PeerException("not a workload ID");

    public string? Text()
    {
        var size = Int32();
        if (size == -1)
            return null;
        var bytes = Take(size, TextBytesMax);
        return System.Text.Unicode.Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : throw new PeerException("text is not UTF-8");
    }

    public SensorMessage Message()
    {
        var topic = Text();
        var payload = Take(Int32()).ToArray();
        var flags = Int32();
        var contentType = Text();
        var responseTopic = Text();
        var correlation = Take(Int32(), TextBytesMax).ToArray();
        var count = Int32();
        if (string.IsNullOrEmpty(topic) || topic.AsSpan().ContainsAny("+#\0") || (flags & ~0x13) != 0 || (flags & 3) == 3
            || count < 0 || count > _rest.Length / UserPropertyBytesMin)
            throw new PeerException("not a message");
        var properties = count == 0 ? null : new List<KeyValuePair<string, string>>(count);
        for (var i = 0; i < count; i++)
            properties!.Add(new(Text() ?? "", Text() ?? ""));
        return new SensorMessage(topic, payload, (byte)(flags & 3), (flags & 0x10) != 0, contentType, responseTopic, correlation, properties);
    }

    public IReadOnlyList<SensorMessage> Messages()
    {
        var count = Int32();
        if (count is < 0 or > ResultsMax)
            throw new PeerException($"{count} results of one message");
        var messages = new List<SensorMessage>(count);
        for (var i = 0; i < count; i++)
            messages.Add(Message());
        return messages;
    }

    private int Int32() => BinaryPrimitives.ReadInt32BigEndian(Take(4));

    private ReadOnlySpan<byte> Take(int count, int countMax = PeerFrame.BodyBytesMax)
    {
        if (count < 0 || count > _rest.Length || count > countMax)
            throw new PeerException($"{count} bytes announced where at most {Math.Min(_rest.Length, countMax)} can be");
        var taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }
}
