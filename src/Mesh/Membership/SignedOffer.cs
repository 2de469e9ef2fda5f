using EdgeFirmware.Contracts.Mesh;

namespace EdgeFirmware.Mesh.Membership;

/// <summary>An offer with the bytes its node signed. They are passed on as they came: what was read and written again might differ.</summary>
/// <param name="Boot">Of the run that made it: an offer of an earlier run is not believed.</param>
public sealed record SignedOffer(uint Boot, Offer Offer, byte[] Statement, byte[] Signature)
{
    public const int StatementBytesMax = 512;

    public int WireBytes => 3 + Statement.Length + Signature.Length;
}
