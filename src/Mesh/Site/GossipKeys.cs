using EdgeFirmware.Mesh.Wire;

namespace EdgeFirmware.Mesh.Site;

/// <summary>The site's gossip keys as the authority has signed them: the newest last, before it the one that it replaces. Secret.</summary>
/// <param name="Number">The higher replaces the lower.</param>
/// <param name="IsUrgent">A node has been shut out that knows the older keys: they are let go soon.</param>
/// <param name="Bytes">As it is signed, sent and kept.</param>
public sealed record GossipKeys(uint Number, long Issued, bool IsUrgent, IReadOnlyList<GossipKey> Keys, byte[] Bytes)
{
    /// <summary>The newest and the one before.</summary>
    public const int KeysMax = 2;

    internal const string Purpose = "edge-firmware gossip keys v1";

    public GossipKey Newest => Keys[^1];

    /// <returns><c>null</c> for what is not this authority's, or no usable set of keys.</returns>
    public static GossipKeys? Read(byte[] bytes, Certificate authority)
    {
        if (SignedDocument.Open(bytes, Purpose, authority) is not { } content)
            return null;
        var reader = new SiteReader(content);
        var number = reader.U32();
        var issued = (long)reader.U64();
        var urgent = reader.U8() == 1;
        var count = reader.Count(KeysMax, 4 + DatagramSeal.KeyBytes);
        var keys = new List<GossipKey>(count);
        for (var i = 0; i < count; i++)
            keys.Add(new GossipKey(reader.U32(), reader.Fixed(DatagramSeal.KeyBytes)));
        return reader.IsDone && count > 0 && (count == 1 || keys[1].Number == keys[0].Number + 1) ? new GossipKeys(number, issued, urgent, keys, bytes) : null;
    }

    internal static byte[] Write(uint number, long issued, bool isUrgent, IReadOnlyList<GossipKey> keys)
    {
        var writer = new SiteWriter().U32(number).U64((ulong)issued).U8((byte)(isUrgent ? 1 : 0)).U16((ushort)keys.Count);
        foreach (var key in keys)
            writer.U32(key.Number).Fixed(key.Secret);
        return writer.ToArray();
    }
}
