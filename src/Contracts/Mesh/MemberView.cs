using System.Net;

namespace EdgeFirmware.Contracts.Mesh;

/// <summary>A member's state as SWIM knows it (Das, Gupta, Motivala 2002, section 4.2), plus a graceful leave.</summary>
public enum MemberStatus
{
    Alive,
    Suspect,
    Dead,
    Left,
}

/// <summary>An immutable picture of one member as this node sees it.</summary>
/// <param name="Offer">The last advertisement heard, if it is still valid.</param>
/// <param name="RoundTrip">Smallest round-trip time of its last probes; <c>null</c> before the first answer.</param>
public sealed record MemberView(
    NodeId Id, IPEndPoint Address, MemberStatus Status, uint Incarnation, Offer? Offer, TimeSpan? RoundTrip, string Why)
{
    /// <summary>When <see cref="Offer"/> was heard.</summary>
    public Instant? OfferHeard { get; init; }

    /// <summary>A view may be older than the offer's validity.</summary>
    /// <returns>The offer if it holds then.</returns>
    public Offer? OfferAt(Instant now) =>
        Status is MemberStatus.Alive or MemberStatus.Suspect && Offer is { } offer && !(now - OfferHeard > offer.Validity) ? offer : null;
}

/// <summary>Something an operator cares about, with its reason. Published at <c>/api/v1/events</c>.</summary>
/// <param name="Kind">One word or a hyphenated pair: <c>member-dead</c>, <c>moved</c>, <c>refused</c>, …</param>
/// <param name="Subject">The node or workload it is about.</param>
/// <param name="Figures">Measured numbers, unit in the name: <c>freezeMs</c>, <c>bytesSent</c>.</param>
public sealed record NodeEvent(
    string Kind, string Subject, string Why, IReadOnlyDictionary<string, double>? Figures = null, IReadOnlyDictionary<string, string>? Details = null);
