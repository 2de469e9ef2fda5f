using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;

namespace EdgeFirmware.Mesh.Site;

/// <summary>What a node does that holds the authority: lets nodes in, renews their certificates, shuts them out; and renewing one's own.</summary>
public sealed partial class SiteCore
{
    /// <summary>A certificate is renewed when this part of its life is left.</summary>
    private const int RenewalPart = 3;

    private bool Enrols => _start.Issuer is not null && _start.Tokens.HasLive(_clock.Time.Milliseconds);

    /// <returns><c>null</c> when this node does not hold the authority, or too many tokens wait.</returns>
    public EnrolmentToken? CreateToken(TimeSpan validity)
    {
        var token = EnrolmentToken.Create(_start.Authority, _clock.Time.Milliseconds, validity);
        if (_start.Issuer is null || !_start.Tokens.Add(token, _clock.Time.Milliseconds))
            return null;
        Outbox.Enqueue(new Keep(SiteFile.Tokens, _start.Tokens.ToBytes()));
        return token;
    }

    /// <summary>Judges a token and makes the certificate. The answer may be sent when everything in the outbox is kept.</summary>
    /// <param name="serverCertificate">What this node showed in the handshake.</param>
    public EnrolmentMessage Enrol(EnrolmentOffer offer, EnrolmentRequest request, byte[] serverCertificate, Instant now)
    {
        if (_start.Issuer is not { } issuer)
            return new EnrolmentRefusal("this node does not hold the authority; ask one that does");
        Certificate? certificate = null;
        var fault = _start.Tokens.Take(offer, request, serverCertificate, _clock.Time.Milliseconds);
        if (fault.Length == 0)
        {
            Outbox.Enqueue(new Keep(SiteFile.Tokens, _start.Tokens.ToBytes()));
            certificate = issuer.Issue(request.CertificateRequest, request.Node, _clock.Time.Milliseconds, SiteAuthority.UsualValidity);
        }
        // The same key again: its node never got the answer.
        if (certificate is not null && _directory.Members.TryGetValue(request.Node, out var present) && present.KeyHash != certificate.KeyHash)
            (certificate, fault) = (null, $"{request.Node} is of this site with another key; revoke it first, then join with a new token");
        if (certificate is not null && _revocations.Has(certificate.KeyHash))
            (certificate, fault) = (null, $"the key of {request.Node} is revoked; remove its site directory and join with a new token");
        if (certificate is null)
        {
            fault = fault.Length > 0 ? fault : "no certificate request for a P-256 key";
            Events.Enqueue(new NodeEvent("not-enrolled", request.Node.Value, fault));
            return new EnrolmentRefusal(fault);
        }
        TakeCertificate(certificate, now);
        _keepMembersAt = now;
        Events.Enqueue(new NodeEvent("enrolled", request.Node.Value, $"certificate good until {DateOf(certificate.NotAfter)}"));
        return new EnrolmentGrant(certificate.Der, _keys.Keys.Bytes, _revocations.Bytes);
    }

    /// <summary>Shuts a node out: its key is revoked, and the gossip keys it knows are replaced.</summary>
    /// <param name="node">Name, node ID or hash of its key.</param>
    /// <returns>What is wrong, or empty.</returns>
    public string Revoke(string node, Instant now)
    {
        if (_start.Issuer is not { } issuer)
            return "this node does not hold the authority";
        if (_directory.Find(node) is not { } member)
            return $"'{node}' is no node of this site, or more than one; give its whole ID or the hash of its key";
        if (member.Node == _start.Self)
            return "this node holds the authority; to shut it out, make a new site";
        if (_revocations.Keys.Count >= RevocationList.KeysMax)
            return $"{RevocationList.KeysMax} keys are revoked already; make a new site";
        RevocationsCame(issuer.SignRevocations(_revocations, member, _clock.Time.Milliseconds).Bytes, null, now);
        return ChangeKey(isUrgent: true, now);
    }

    /// <summary>Replaces the gossip key.</summary>
    /// <inheritdoc cref="Revoke"/>
    public string ChangeKey(bool isUrgent, Instant now) =>
        _start.Issuer is { } issuer ? KeysCame(issuer.SignNewKey(_keys.Keys, isUrgent, _clock.Time.Milliseconds).Bytes, null, inUse: 0, now) : "this node does not hold the authority";

    /// <returns>The certificate, or a refusal.</returns>
    internal SiteMessage Renew(NodeId node, byte[] request, Instant now)
    {
        if (_start.Issuer is not { } issuer)
            return new SiteRefusal("this node does not hold the authority");
        if (!_directory.Members.TryGetValue(node, out var present))
            return new SiteRefusal("your certificate is not known here");
        // A node whose clock is ahead would ask for ever.
        if (!IsDue(present, part: 2))
            return new SiteRefusal("more than half of its life is left");
        if (issuer.Issue(request, node, _clock.Time.Milliseconds, TimeSpan.FromMilliseconds(present.NotAfter - present.NotBefore)) is not { } renewed || renewed.KeyHash != present.KeyHash)
            return new SiteRefusal("no certificate request for the key you have");
        TakeCertificate(renewed, now);
        return new SiteMember(renewed.Der);
    }

    /// <returns>What is to be sent to a peer that renews, or <c>null</c> while nothing is due.</returns>
    internal SiteRenewal? RenewalFor(SiteSummary peer) => peer.Issues && _start.Issuer is null && IsDue(_own, RenewalPart) ? new SiteRenewal(_start.RenewalRequest) : null;

    internal void RenewalRefused(NodeId peer, string why) =>
        Events.Enqueue(new NodeEvent("not-renewed", _start.Self.Value, $"by {peer}: {why}; good until {DateOf(_own.NotAfter)}"));

    private void RenewOwn(Instant now)
    {
        if (now < _nextRenewal || !IsDue(_own, RenewalPart))
            return;
        _nextRenewal = now + _timing.Renewal;
        if (_start.Issuer is not null)
            Renew(_start.Self, _start.RenewalRequest, now);
        else if (Issuer() is { } issuer)
            Outbox.Enqueue(new Contact(issuer.Id, issuer.Address));
        else
            ContactSome(_timing.Fanout, null); // perhaps one of them can, or knows
    }

    private MemberView? Issuer()
    {
        foreach (var member in _members)
            if (_issuers.Contains(member.Id) && member.Status == MemberStatus.Alive)
                return member;
        return null;
    }

    /// <summary>By the best guess of the time: renewing too early harms nobody.</summary>
    private bool IsDue(Certificate certificate, int part) =>
        certificate.NotAfter - _clock.Time.Milliseconds < (certificate.NotAfter - certificate.NotBefore) / part;
}
