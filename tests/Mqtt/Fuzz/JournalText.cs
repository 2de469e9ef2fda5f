using System.Buffers.Binary;
using EdgeFirmware.Mqtt.Durability;
using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Fuzz;

/// <summary>Makes journal files of entries that only add, so that what a part of them says is never taken back by the rest.</summary>
internal sealed class JournalText(Random random)
{
    private readonly List<StoredMessage> _messages = [];
    private long _lastId;

    /// <summary>A file of this number, and where each of its frames ends.</summary>
    public (byte[] Bytes, List<int> Ends) Make(long number, int frames, bool isSnapshot)
    {
        var encoder = new EntryEncoder(isSnapshot ? number : 0);
        var file = new MemoryStream();
        Span<byte> header = stackalloc byte[Segment.HeaderBytes];
        Segment.Magic.CopyTo(header);
        BinaryPrimitives.WriteInt64LittleEndian(header[Segment.Magic.Length..], number);
        file.Write(header);
        var ends = new List<int>();
        for (var i = 0; i < frames; i++)
        {
            var output = new OutputBuffer();
            output.WriteBytes(new byte[Segment.FrameHeaderBytes]);
            for (var left = random.Next(1, 6); left > 0; left--) encoder.Write(output, Entry());
            if (isSnapshot && i == frames - 1) encoder.Write(output, new(EntryKind.End, 0, 0, null));
            BinaryPrimitives.WriteInt32LittleEndian(output.Span, output.Length - Segment.FrameHeaderBytes);
            BinaryPrimitives.WriteUInt32LittleEndian(output.Span[4..], Segment.Checksum(output.Span));
            file.Write(output.Written);
            ends.Add((int)file.Length);
        }

        return (file.ToArray(), ends);
    }

    /// <summary>What is known after it, as words to compare.</summary>
    public static HashSet<string> Facts(Replay replay)
    {
        var facts = new HashSet<string>();
        foreach (var session in replay.Sessions.Values)
        {
            facts.Add($"session {session.Id}");
            foreach (var filter in session.Subscriptions.Keys) facts.Add($"session {session.Id} subscribes to {filter}");
            foreach (var delivery in session.Deliveries.Values) facts.Add($"delivery {delivery.Id} of {delivery.Stored.Id} to {session.Id}");
            foreach (var id in session.Inbound.Keys) facts.Add($"session {session.Id} has {id}");
        }

        foreach (var topic in replay.Retained.Keys) facts.Add($"retained {topic}");
        return facts;
    }

    private JournalEntry Entry()
    {
        var session = (uint)random.Next(1, 5);
        switch (random.Next(6))
        {
            case 0: return new(EntryKind.SessionOpened, session, 0, new SessionTermsEntry($"client{session}", "user", ProtocolVersion.V5, 100, null));
            case 1: return new(EntryKind.Subscribed, session, 0, new SubscriptionEntry($"a/{random.Next(9)}/#", new(QoS.AtLeastOnce), [3]));
            case 2: return new(EntryKind.InboundTaken, session, (ushort)random.Next(1, 99), null);
            case 3: return new(EntryKind.Retained, 0, 0, Message());
            default:
                var stored = Message();
                return new(EntryKind.Queued, session, 0, new StoredDelivery(++_lastId, session, stored, QoS.AtLeastOnce, retain: false, null));
        }
    }

    private StoredMessage Message()
    {
        if (_messages.Count > 0 && random.Next(3) == 0) return _messages[random.Next(_messages.Count)];
        var text = new string('x', random.Next(20) == 0 ? random.Next(5000) : random.Next(30));
        var made = new StoredMessage(++_lastId, Messages.Message($"t/{random.Next(6)}", text, QoS.AtLeastOnce), 0);
        _messages.Add(made);
        return made;
    }
}
