using System.Net;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;

namespace EdgeFirmware.Mesh.Membership;

/// <summary>Another node as this one sees it; its status is changed only by <see cref="MembershipCore"/>, through <see cref="MemberTable"/>.</summary>
internal sealed class Member(MemberIdentity identity)
{
    public MemberTag Tag { get; } = MemberTag.Of(identity.Id);

    public MemberIdentity Identity { get; private set; } = identity;

    public NodeId Id => Identity.Id;

    public IPEndPoint Address => Identity.Address;

    public uint Boot => Identity.Boot;

    public MemberStatus Status { get; set; }

    public uint Incarnation { get; set; }

    public SignedOffer? Offer { get; set; }

    /// <summary>An offer whose signer's certificate is not known here yet.</summary>
    public SignedOffer? Unverified { get; set; }

    public Instant OfferHeard { get; set; }

    /// <summary>Since when it has its status.</summary>
    public Instant Since { get; set; }

    public string Why { get; set; } = "";

    public RoundTripWindow RoundTrip { get; } = new();

    /// <summary>While it is suspect.</summary>
    public Suspicion? Suspicion { get; set; }

    /// <summary>Place among the reachable members; -1 when it is not.</summary>
    public int ReachableIndex { get; set; } = -1;

    /// <summary>What it adds to the view's hash.</summary>
    public uint Hash { get; set; }

    public NewsEntry? StatusNews { get; set; }

    public NewsEntry? OfferNews { get; set; }

    public bool IsReachable => Status is MemberStatus.Alive or MemberStatus.Suspect;

    public void LivesAt(MemberIdentity identity) => Identity = identity;

    public MemberNews ToNews(bool withIdentity, bool withOffer) =>
        new(Tag, Status, Incarnation, Suspicion?.Latest ?? default, Suspicion?.IsRefused ?? false)
        {
            Identity = withIdentity ? Identity : null, Offer = withOffer ? Offer : null,
        };

    public SummaryEntry ToEntry() => new(Tag, Status, Incarnation, Boot, Offer?.Offer.Version ?? 0);

    public MemberView ToView(Instant now)
    {
        var valid = IsReachable && Offer is { } offer && now - OfferHeard <= offer.Offer.Validity;
        return new MemberView(Id, Address, Status, Incarnation, valid ? Offer!.Offer : null, RoundTrip.Smallest, Why)
        {
            OfferHeard = valid ? OfferHeard : null,
        };
    }
}
