using System.Buffers.Binary;
using System.Net;
using System.Text;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mesh.Membership;

namespace EdgeFirmware.Mesh.Wire;

/// <summary>Writes a gossip message as docs/protocol.md describes it: big-endian integers, strings with a length byte.</summary>
internal ref struct GossipWriter(Span<byte> buffer)
{
    private readonly Span<byte> _buffer = buffer;
    private int _length;

    /// <returns>Bytes written. Throws <see cref="ArgumentException"/> when the buffer is too small: our own bug, sizes are bounded.</returns>
    public static int Write(GossipMessage message, Span<byte> buffer)
    {
        var writer = new GossipWriter(buffer);
        writer.Message(message);
        return writer._length;
    }

    private void Message(GossipMessage message)
    {
        Byte((byte)GossipTypes.Of(message));
        Text(message.Sender.Value);
        switch (message)
        {
            case Ping ping:
                UInt32(ping.Sequence);
                Text(ping.Target.Value);
                break;
            case Ack ack:
                UInt32(ack.Sequence);
                break;
            case PingRequest request:
                UInt32(request.Sequence);
                Text(request.Target.Value);
                Endpoint(request.TargetAddress);
                break;
            case Sync sync:
                Byte(sync.WantsReply ? (byte)1 : (byte)0);
                break;
        }
        Byte((byte)message.Updates.Count);
        foreach (var update in message.Updates)
            Update(update);
    }

    private void Update(MemberUpdate update)
    {
        Text(update.Id.Value);
        Endpoint(update.Address);
        Byte((byte)update.Status);
        UInt32(update.Incarnation);
        UInt32(update.Boot);
        Byte(update.Offer is null ? (byte)0 : (byte)1);
        if (update.Offer is { } offer)
            Offer(offer);
    }

    private void Offer(Offer offer)
    {
        UInt32(offer.Version);
        Byte((byte)((int)offer.Level | (offer.CanCheckpoint ? 0x10 : 0) | (offer.Overloaded ? 0x20 : 0)));
        Text(Clip(offer.Why, Contracts.Mesh.Offer.WhyLengthMax));
        UInt32(Thousandths(offer.CpuCores));
        UInt32(Thousandths(offer.CpuFreeCores));
        UInt32(KibiBytes(offer.MemoryBytes));
        UInt32(KibiBytes(offer.MemoryFreeBytes));
        UInt32(KibiBytes(offer.DiskFreeBytes));
        Text(Clip(offer.Architecture, Contracts.Mesh.Offer.NameLengthMax));
        UInt32((uint)offer.PageBytes);
        Text(Clip(offer.Engine, Contracts.Mesh.Offer.NameLengthMax));
    }

    /// <summary>Rounded, not cut: an offer that passes through many nodes must not shrink a little at each.</summary>
    private static uint Thousandths(double cores) => (uint)Math.Clamp(Math.Round(cores * 1000), 0, uint.MaxValue);

    /// <summary>4 TiB is the largest size that can be told; more counts as that.</summary>
    private static uint KibiBytes(long bytes) => (uint)Math.Clamp(bytes >> 10, 0, uint.MaxValue);

    private static string Clip(string text, int lengthMax) => text.Length <= lengthMax ? text : text[..lengthMax];

    private void Byte(byte value) => _buffer[_length++] = value;

    private void UInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_buffer[_length..], value);
        _length += 4;
    }

    private void Text(string text)
    {
        var size = Encoding.UTF8.GetByteCount(text);
        // A clipped text may still hold long UTF-8 sequences; what does not fit the length byte is not sent.
        if (size > byte.MaxValue)
        {
            Text(text[..(text.Length / 2)]);
            return;
        }
        Byte((byte)size);
        _length += Encoding.UTF8.GetBytes(text, _buffer[_length..]);
    }

    private void Endpoint(IPEndPoint endpoint)
    {
        var address = endpoint.Address.IsIPv4MappedToIPv6 ? endpoint.Address.MapToIPv4() : endpoint.Address;
        address.TryWriteBytes(_buffer[(_length + 1)..], out var size);
        Byte((byte)size);
        _length += size;
        BinaryPrimitives.WriteUInt16BigEndian(_buffer[_length..], (ushort)endpoint.Port);
        _length += 2;
    }
}
