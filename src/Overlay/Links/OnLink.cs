using System.Net;
using EdgeFirmware.Contracts.Links;

namespace EdgeFirmware.Overlay.Links;

internal static class OnLink
{
    /// <returns>Whether an address has the prefix of this one, and so is reached without a gateway.</returns>
    public static bool Covers(LinkAddress own, IPAddress other)
    {
        Span<byte> a = stackalloc byte[16], b = stackalloc byte[16];
        if (!own.Address.TryWriteBytes(a, out var length) || !other.TryWriteBytes(b, out var otherLength) || length != otherLength || own.PrefixBits > length * 8)
            return false;
        var whole = own.PrefixBits / 8;
        var rest = own.PrefixBits % 8;
        return a[..whole].SequenceEqual(b[..whole]) && (rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0);
    }
}
