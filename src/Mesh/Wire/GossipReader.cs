using System.Buffers.Binary;
using System.Net;
using System.Text;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mesh.Membership;

namespace EdgeFirmware.Mesh.Wire;

/// <summary>Reads what <see cref="GossipWriter"/> wrote. Anything else, from anyone, is <c>null</c>: it never throws and never reads past
/// the datagram.</summary>
internal ref struct GossipReader(ReadOnlySpan<byte> data)
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private readonly ReadOnlySpan<byte> _data = data;
    private int _at;
    private bool _failed;

    public static GossipMessage? Read(ReadOnlySpan<byte> data)
    {
        var reader = new GossipReader(data);
        var message = reader.Message();
        return reader._failed || reader._at != data.Length ? null : message;
    }

    private GossipMessage? Message()
    {
        var type = (GossipType)Byte();
        var sender = Node();
        GossipMessage? message = type switch
        {
            GossipType.Ping => new Ping(sender, UInt32(), Node()),
            GossipType.Ack => new Ack(sender, UInt32()),
            GossipType.PingRequest => new PingRequest(sender, UInt32(), Node(), Endpoint()),
            GossipType.Sync => new Sync(sender, Byte() != 0),
            GossipType.Gossip => new Gossip(sender),
            _ => null,
        };
        var count = Byte();
        if (message is null || count > MembershipCore.UpdatesMax)
            return Fail<GossipMessage>();
        var updates = new List<MemberUpdate>(count);
        for (var i = 0; i < count && !_failed; i++)
            if (Update() is { } update)
                updates.Add(update);
        return message with { Updates = updates };
    }

    private MemberUpdate? Update()
    {
        var id = Node();
        var address = Endpoint();
        var status = Byte();
        var incarnation = UInt32();
        var boot = UInt32();
        var hasOffer = Byte();
        // The last incarnation cannot be refuted: nobody may claim it.
        if (status > (byte)MemberStatus.Left || hasOffer > 1 || incarnation == uint.MaxValue)
            return Fail<MemberUpdate>();
        return new MemberUpdate(id, address, (MemberStatus)status, incarnation, boot, hasOffer == 1 ? Offer() : null);
    }

    private Offer? Offer()
    {
        var version = UInt32();
        var flags = Byte();
        var why = Text(Contracts.Mesh.Offer.WhyLengthMax);
        double cpuCores = UInt32() / 1000.0, cpuFree = UInt32() / 1000.0;
        long memory = (long)UInt32() << 10, memoryFree = (long)UInt32() << 10, diskFree = (long)UInt32() << 10;
        var architecture = Text(Contracts.Mesh.Offer.NameLengthMax);
        var page = UInt32();
        var engine = Text(Contracts.Mesh.Offer.NameLengthMax);
        var level = flags & 0x0F;
        // A machine cannot have more free than it has: such an offer is a lie or a fault, and the datagram with it.
        if (level > 2 || cpuFree > cpuCores || memoryFree > memory || page is 0 or > 1 << 20)
            return Fail<Offer>();
        return new Offer(
            version, (CollaborationLevel)level, why, cpuCores, cpuFree, memory, memoryFree, diskFree, architecture, (int)page, engine,
            CanCheckpoint: (flags & 0x10) != 0, Overloaded: (flags & 0x20) != 0);
    }

    private byte Byte()
    {
        if (_failed || _at >= _data.Length)
        {
            _failed = true;
            return 0;
        }
        return _data[_at++];
    }

    private uint UInt32()
    {
        if (_failed || _data.Length - _at < 4)
        {
            _failed = true;
            return 0;
        }
        var value = BinaryPrimitives.ReadUInt32BigEndian(_data[_at..]);
        _at += 4;
        return value;
    }

    private NodeId Node()
    {
        if (NodeId.TryParse(Text(NodeId.LengthMax), out var id))
            return id;
        _failed = true;
        return default;
    }

    private string Text(int bytesMax)
    {
        var size = Byte();
        if (_failed || size > bytesMax || _data.Length - _at < size)
        {
            _failed = true;
            return "";
        }
        var bytes = _data.Slice(_at, size);
        _at += size;
        if (System.Text.Unicode.Utf8.IsValid(bytes))
            return Strict.GetString(bytes);
        _failed = true;
        return "";
    }

    private IPEndPoint Endpoint()
    {
        var size = Byte();
        if (_failed || size is not (4 or 16) || _data.Length - _at < size + 2)
        {
            _failed = true;
            return new IPEndPoint(IPAddress.None, 0);
        }
        var address = new IPAddress(_data.Slice(_at, size));
        var port = BinaryPrimitives.ReadUInt16BigEndian(_data[(_at + size)..]);
        _at += size + 2;
        return new IPEndPoint(address, port);
    }

    private T? Fail<T>()
        where T : class
    {
        _failed = true;
        return null;
    }
}
