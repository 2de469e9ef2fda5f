using EdgeFirmware.Contracts;
using EdgeFirmware.Firmware.Operations;
using EdgeFirmware.Mesh.Site;

namespace EdgeFirmware.Firmware.Site;

/// <summary>What the command line shows of a site.</summary>
internal static class SiteViews
{
    /// <summary>A week.</summary>
    private const int TokenMinutesMax = 7 * 24 * 60;

    /// <exception cref="OperationRefusedException">It is not positive, or more than a week.</exception>
    public static TimeSpan TokenValidity(int minutes) => minutes is >= 1 and <= TokenMinutesMax
        ? TimeSpan.FromMinutes(minutes)
        : throw new OperationRefusedException(400, $"a token is good for 1 to {TokenMinutesMax} minutes");

    public static TokenView Of(EnrolmentToken token) => new(token.ToString(), Date(token.Expires));

    public static SiteStateView Of(SiteView site) => new(
        site.Authority.Name, Convert.ToHexStringLower(site.Authority.Fingerprint), Of(site.Own), site.Issues, site.GossipKey, site.Revocations.Number,
        Of(site.Members), Of(site.Revocations), site.Now.IsKnown ? Date(site.Now.Milliseconds) : null, site.Now.Why);

    /// <returns>In order of their IDs.</returns>
    public static SiteMemberView[] Of(IReadOnlyDictionary<NodeId, Certificate> certificates)
    {
        var members = new List<SiteMemberView>(certificates.Count);
        foreach (var member in certificates.Values)
            members.Add(Of(member));
        members.Sort(static (a, b) => string.CompareOrdinal(a.Id, b.Id));
        return members.ToArray();
    }

    public static SiteMemberView Of(Certificate certificate) => new(certificate.Node.Value, Date(certificate.NotAfter), certificate.KeyHash);

    public static RevokedView[] Of(RevocationList revocations)
    {
        var revoked = new RevokedView[revocations.Keys.Count];
        for (var i = 0; i < revoked.Length; i++)
            revoked[i] = new RevokedView(revocations.Keys[i].Node.Value, revocations.Keys[i].KeyHash);
        return revoked;
    }

    public static string Date(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");
}

internal sealed record TokenView(string Token, string Expires);

/// <param name="Name">The authority's common name.</param>
/// <param name="Own">This node's certificate; <c>null</c> for an authority that is no node.</param>
/// <param name="Time">Site time; <c>null</c> while it is not known, and then <paramref name="TimeWhy"/> says why.</param>
internal sealed record SiteStateView(
    string Name, string Fingerprint, SiteMemberView? Own, bool HoldsAuthority, uint GossipKey, uint Revocations, SiteMemberView[] Members, RevokedView[] Revoked,
    string? Time, string TimeWhy);

internal sealed record SiteMemberView(string Id, string GoodUntil, string KeyHash);

internal sealed record RevokedView(string Id, string KeyHash);
