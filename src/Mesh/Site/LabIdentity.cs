using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Peers;

namespace EdgeFirmware.Mesh.Site;

/// <summary>The lab profile: whoever holds the site key speaks for every node, so statements carry no signature, and one that does comes from a
/// site with certificates.</summary>
public sealed class LabIdentity : ISiteIdentity
{
    public byte[] Sign(ReadOnlySpan<byte> statement) => [];

    public SignatureVerdict Verify(NodeId signer, ReadOnlySpan<byte> statement, ReadOnlySpan<byte> signature) =>
        signature.IsEmpty ? SignatureVerdict.Genuine : SignatureVerdict.Forged;
}
