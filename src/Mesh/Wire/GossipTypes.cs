using EdgeFirmware.Mesh.Membership;

namespace EdgeFirmware.Mesh.Wire;

/// <summary>First byte of a decrypted datagram.</summary>
internal enum GossipType : byte
{
    Ping = 1,
    Ack = 2,
    PingRequest = 3,
    Sync = 4,
    Gossip = 5,
}

internal static class GossipTypes
{
    public static GossipType Of(GossipMessage message) => message switch
    {
        Ping => GossipType.Ping,
        Ack => GossipType.Ack,
        PingRequest => GossipType.PingRequest,
        Sync => GossipType.Sync,
        _ => GossipType.Gossip,
    };
}
