using System.Net;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;

namespace EdgeFirmware.Mesh.Membership;

/// <summary>What gossip says of one member. Who knows the member needs no more than tag, status and incarnation; who does not, learns of it
/// only with <see cref="Identity"/>.</summary>
/// <param name="By">Who suspects it or declares it dead; zero else. Independent voices shorten a suspicion.</param>
/// <param name="Refused">The suspicion is more than silence: its machine says that nobody listens at its port.</param>
public sealed record MemberNews(MemberTag Member, MemberStatus Status, uint Incarnation, MemberTag By, bool Refused)
{
    private const int CompactBytes = 1 + MemberTag.Bytes + 4;

    public MemberIdentity? Identity { get; init; }

    public SignedOffer? Offer { get; init; }

    public bool HasBy => Status is MemberStatus.Suspect or MemberStatus.Dead;

    /// <summary>On the wire.</summary>
    public int WireBytes => CompactBytes + (HasBy ? MemberTag.Bytes : 0) + (Identity?.WireBytes ?? 0) + (Offer?.WireBytes ?? 0);
}

/// <param name="Boot">Random number of the member's run: tells a restarted node from its past self.</param>
public sealed record MemberIdentity(NodeId Id, IPEndPoint Address, uint Boot)
{
    public int WireBytes { get; } = 1 + Id.Value.Length + AddressBytes(Address) + 4;

    /// <summary>Length byte, address, port. An IPv4 address in an IPv6 one goes as IPv4.</summary>
    public static int AddressBytes(IPEndPoint address) =>
        address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork || address.Address.IsIPv4MappedToIPv6 ? 7 : 19;
}
