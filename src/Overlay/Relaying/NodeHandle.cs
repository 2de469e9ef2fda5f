using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using EdgeFirmware.Contracts;

namespace EdgeFirmware.Overlay.Relaying;

/// <summary>A node in four bytes, the same for everybody, so that a relay keeps no state for a conversation. The first bytes of the ID's SHA-256; of two nodes of
/// a site with the same one, once in a thousand sites of a thousand nodes times eight, only the first is reached through others.</summary>
internal static class NodeHandle
{
    public const int Bytes = 4;

    /// <returns>Never 0.</returns>
    public static int Of(NodeId node)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.ASCII.GetBytes(node.Value), hash);
        return BinaryPrimitives.ReadInt32BigEndian(hash) is not 0 and var handle ? handle : 1;
    }
}
