namespace EdgeFirmware.Mesh.Wire;

/// <summary>One key of the site's gossip.</summary>
/// <param name="Number">Each new key has the next number; a datagram names it by the lowest four bits.</param>
/// <param name="Secret"><see cref="DatagramSeal.KeyBytes"/>.</param>
public sealed record GossipKey(uint Number, byte[] Secret)
{
    /// <summary>What a datagram can tell apart.</summary>
    public const uint NumberMask = 0x0F;

    /// <summary>Keys at the same time: the one in use, the one it replaces, and one that is to come.</summary>
    public const int HeldMax = 3;
}
