using EdgeFirmware.Contracts;

namespace EdgeFirmware.Mesh.Site;

/// <summary>Keys that the authority has shut out, signed by it. Lists are numbered, and the higher number replaces the lower: nothing in it ever
/// has to be merged.</summary>
/// <param name="Number">0 for the empty list that every site begins with.</param>
/// <param name="Issued">Milliseconds since 1970.</param>
/// <param name="Bytes">As it is signed, sent and kept.</param>
public sealed record RevocationList(uint Number, long Issued, IReadOnlyList<RevokedKey> Keys, byte[] Bytes)
{
    public const int KeysMax = 512;

    internal const string Purpose = "edge-firmware revocations v1";
    private const int KeyHashBytes = 32;

    /// <summary>Key hash, and the shortest node ID with its length.</summary>
    private const int EntryBytesMin = KeyHashBytes + 2 + 19;

    private readonly HashSet<string> _hashes = HashesOf(Keys);

    public bool Has(string keyHash) => _hashes.Contains(keyHash);

    /// <returns><c>null</c> for what is no list of this authority.</returns>
    public static RevocationList? Read(byte[] bytes, Certificate authority)
    {
        if (SignedDocument.Open(bytes, Purpose, authority) is not { } content)
            return null;
        var reader = new SiteReader(content);
        var number = reader.U32();
        var issued = (long)reader.U64();
        var count = reader.Count(KeysMax, EntryBytesMin);
        var keys = new List<RevokedKey>(count);
        for (var i = 0; i < count; i++)
            keys.Add(new RevokedKey(Convert.ToHexStringLower(reader.Fixed(KeyHashBytes)), reader.Node()));
        return reader.IsDone ? new RevocationList(number, issued, keys, bytes) : null;
    }

    /// <returns>What the authority is to sign.</returns>
    internal static byte[] Write(uint number, long issued, IReadOnlyList<RevokedKey> keys)
    {
        var writer = new SiteWriter().U32(number).U64((ulong)issued).U16((ushort)keys.Count);
        foreach (var key in keys)
            writer.Fixed(Convert.FromHexString(key.KeyHash)).Node(key.Node);
        return writer.ToArray();
    }

    private static HashSet<string> HashesOf(IReadOnlyList<RevokedKey> keys)
    {
        var hashes = new HashSet<string>(keys.Count, StringComparer.Ordinal);
        foreach (var key in keys)
            hashes.Add(key.KeyHash);
        return hashes;
    }
}

/// <param name="KeyHash">SHA-256 of the public key, hexadecimal: it shuts out every certificate of that key, and not the next key of the same
/// node.</param>
/// <param name="Node">Whose it was, for people.</param>
public sealed record RevokedKey(string KeyHash, NodeId Node);
