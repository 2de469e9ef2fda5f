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

    public RoundTripWindow RoundTrip { get; } = new();

    public bool IsReachable => Status is MemberStatus.Alive or MemberStatus.Suspect;

    public MemberUpdate ToUpdate(bool withOffer) => new(Id, Address, Status, Incarnation, Boot, withOffer ? Offer : null);

    public MemberView ToView(Instant now)
    {
        var valid = IsReachable && Offer is not null && now - OfferHeard <= Offer.Validity;
        return new MemberView(Id, Address, Status, Incarnation, valid ? Offer : null, RoundTrip.Smallest, Why) { OfferHeard = valid ? OfferHeard : null };
    }
}
