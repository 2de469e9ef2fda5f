namespace EdgeFirmware.Contracts.Peers;

/// <summary>This node's key in the site, and what it knows of the others' keys. Called by the mesh loop: answers from memory.</summary>
public interface ISiteIdentity
{
    /// <summary>Longest signature: ECDSA P-256 in IEEE P1363 form.</summary>
    const int SignatureBytesMax = 64;

    /// <returns>Empty in the lab profile, where the site key is all there is.</returns>
    byte[] Sign(ReadOnlySpan<byte> statement);

    SignatureVerdict Verify(NodeId signer, ReadOnlySpan<byte> statement, ReadOnlySpan<byte> signature);

    /// <returns>Whether every certificate known of that node is revoked: what it says, or others say of it, counts for nothing.</returns>
    bool IsShutOut(NodeId node) => false;
}

public enum SignatureVerdict
{
    Genuine,

    /// <summary>Not made with that node's key, or that node's certificate is revoked.</summary>
    Forged,

    /// <summary>That node's certificate is not known here yet.</summary>
    Unknown,
}
