using System.Net;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;

namespace EdgeFirmware.Mesh.Membership;

/// <summary>Another node as this one sees it; changed only by <see cref="MembershipCore"/>.</summary>
internal sealed class Member(NodeId id)
{
    public NodeId Id { get; } = id;

    public required IPEndPoint Address { get; set; }

    public MemberStatus Status { get; set; }

    public uint Incarnation { get; set; }

    public uint Boot { get; set; }

    public Offer? Offer { get; set; }

    public Instant OfferHeard { get; set; }

    /// <summary>Since when it has its status.</summary>
    public Instant Since { get; set; }

    public string Why { get; set; } = "";

    /// <summary>Exponentially smoothed with gain 1/8, as TCP does (RFC 6298, section 2).</summary>
    public TimeSpan? RoundTrip { get; private set; }

    public bool IsReachable => Status is MemberStatus.Alive or MemberStatus.Suspect;

    public void Measured(TimeSpan roundTrip) => RoundTrip = RoundTrip is { } old ? old + ((roundTrip - old) / 8) : roundTrip;

    public MemberUpdate ToUpdate(bool withOffer) => new(Id, Address, Status, Incarnation, Boot, withOffer ? Offer : null);

    public MemberView ToView(Instant now)
    {
        var valid = IsReachable && Offer is not null && now - OfferHeard <= Offer.Validity;
        return new MemberView(Id, Address, Status, Incarnation, valid ? Offer : null, RoundTrip, Why);
    }
}
