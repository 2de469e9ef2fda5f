using EdgeFirmware.Contracts;

namespace EdgeFirmware.Mesh.Site;

/// <summary>What a node knows of its site at one moment; immutable, for other threads.</summary>
/// <param name="Now">Site time at <paramref name="At"/>.</param>
/// <param name="Members">By node; certificates that are not revoked.</param>
/// <param name="ShutOut">Nodes whose every key is revoked.</param>
/// <param name="Enrols">A token is waiting to be used here.</param>
public sealed record SiteView(
    Certificate Authority, Certificate Own, RevocationList Revocations, IReadOnlyDictionary<NodeId, Certificate> Members, IReadOnlySet<NodeId> ShutOut,
    SiteTime Now, Instant At, uint GossipKey, bool Issues, bool Enrols)
{
    /// <summary>What is off by less is no reason to refuse.</summary>
    private const long SlackMilliseconds = 600_000;

    /// <summary>Whether the dates of a certificate count: only when the time is known, and then only its end. A certificate that begins in the
    /// future shows that this node's idea of time is late: the authority made it already.</summary>
    public bool HasExpired(Certificate certificate, Instant at) =>
        Now.IsKnown && Now.Milliseconds + (long)(at - At).TotalMilliseconds > certificate.NotAfter + SlackMilliseconds;
}
