using System.Buffers.Binary;
using EdgeFirmware.Contracts;

namespace EdgeFirmware.Mesh.Site;

/// <summary>The certificates of the site's nodes, one for each node: the one that begins last. Each speaks for itself by the authority's
/// signature, so anybody may bring it.</summary>
public sealed class MemberDirectory
{
    public const int MembersMax = 2048;

    private const byte Version = 1;

    private readonly Dictionary<NodeId, Certificate> _members = [];
    private readonly HashSet<NodeId> _shutOut = [];

    /// <summary>Two directories with the same digest hold the same certificates, but for a chance of 2⁻⁶⁴.</summary>
    public ulong Digest { get; private set; }

    /// <summary>Raised at every change.</summary>
    public int Revision { get; private set; }

    public IReadOnlyDictionary<NodeId, Certificate> Members => _members;

    /// <summary>Nodes whose every known key is revoked.</summary>
    public IReadOnlySet<NodeId> ShutOut => _shutOut;

    /// <summary>The first 8 bytes of a certificate's fingerprint: enough to tell certificates of one authority apart.</summary>
    public static ulong PrintOf(Certificate certificate) => BinaryPrimitives.ReadUInt64BigEndian(certificate.Fingerprint);

    public IReadOnlySet<ulong> Prints()
    {
        var prints = new HashSet<ulong>(_members.Count);
        foreach (var member in _members.Values)
            prints.Add(PrintOf(member));
        return prints;
    }

    /// <summary>By name, node ID, or the first 8 digits and more of its key's hash.</summary>
    /// <returns><c>null</c> when none or more than one is meant.</returns>
    public Certificate? Find(string node)
    {
        Certificate? found = null;
        foreach (var member in _members.Values)
            if (member.Node.Value == node || member.Node.Name == node || (node.Length >= 8 && member.KeyHash.StartsWith(node, StringComparison.OrdinalIgnoreCase)))
            {
                if (found is not null)
                    return null;
                found = member;
            }
        return found;
    }

    /// <param name="certificate">Signed by the authority.</param>
    /// <returns>Whether it is new here, better than what was known, and not revoked.</returns>
    public bool Add(Certificate certificate, RevocationList revocations)
    {
        if (certificate.Node.Value.Length == 0 || certificate.IsAuthority || revocations.Has(certificate.KeyHash))
            return false;
        if (_members.TryGetValue(certificate.Node, out var known) ? !IsBetter(certificate, known) : _members.Count >= MembersMax)
            return false;
        if (known is not null)
            Digest ^= PrintOf(known);
        _members[certificate.Node] = certificate;
        _shutOut.Remove(certificate.Node);
        Digest ^= PrintOf(certificate);
        Revision++;
        return true;
    }

    /// <returns>Nodes that have just lost their only certificate.</returns>
    public IReadOnlyList<NodeId> Apply(RevocationList revocations)
    {
        var lost = new List<NodeId>();
        foreach (var revoked in revocations.Keys)
        {
            if (_members.TryGetValue(revoked.Node, out var member))
            {
                if (member.KeyHash != revoked.KeyHash)
                    continue; // it has a new key
                _members.Remove(revoked.Node);
                Digest ^= PrintOf(member);
            }
            if (_shutOut.Add(revoked.Node))
                lost.Add(revoked.Node);
        }
        if (lost.Count > 0)
            Revision++;
        return lost;
    }

    public byte[] ToBytes()
    {
        var writer = new SiteWriter().U8(Version).U16((ushort)_members.Count);
        foreach (var member in _members.Values)
            writer.Bytes(member.Der);
        return writer.ToArray();
    }

    /// <summary>Adds what a file holds. A faulty file adds what can be read: others know the rest.</summary>
    public void Load(byte[] bytes, Certificate authority, RevocationList revocations)
    {
        var reader = new SiteReader(bytes);
        if (reader.U8() != Version)
            return;
        for (var left = reader.Count(MembersMax, 2); left > 0; left--)
            if (Certificate.Read(reader.Bytes(Certificate.BytesMax)) is { } certificate && certificate.IsSignedBy(authority))
                Add(certificate, revocations);
    }

    private static bool IsBetter(Certificate one, Certificate known) =>
        one.NotBefore > known.NotBefore || (one.NotBefore == known.NotBefore && PrintOf(one) > PrintOf(known));
}
