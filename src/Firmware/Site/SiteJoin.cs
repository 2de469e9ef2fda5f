using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Firmware.Operations;
using EdgeFirmware.Firmware.Running;
using EdgeFirmware.Mesh.Site;
using EdgeFirmware.Platform.Peers;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeFirmware.Firmware.Site;

/// <summary>A new node's side of an enrolment. Tried again after a cut, it shows the same key, and a new token.</summary>
internal static class SiteJoin
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <returns>The node's certificate; everything it needs is in <c>site</c> of its data directory.</returns>
    /// <exception cref="OperationRefusedException">It has a certificate already, or the other node says no.</exception>
    /// <exception cref="PeerException">The other node cannot be reached, or is not of the token's site.</exception>
    /// <exception cref="StorageException">The directory cannot be written, or a node uses it.</exception>
    public static async Task<SiteMemberView> RunAsync(EnrolmentToken token, IPEndPoint peer, string dataDirectory, string name, TimeProvider time, CancellationToken cancel)
    {
        using var held = DataDirectory.Hold(dataDirectory);
        var self = await NodeIdentity.LoadOrCreateAsync(dataDirectory, name, cancel);
        var files = new SiteFiles(Path.Combine(dataDirectory, "site"));
        files.Make();
        if (files.Has(SiteFile.Certificate))
            throw new OperationRefusedException(409, $"{files.Directory}: this node has a certificate already; remove the directory to join anew");
        using var key = files.HasNodeKey ? files.ReadNodeKey() : ECDsa.Create(ECCurve.NamedCurves.nistP256);
        if (!files.HasNodeKey)
            await files.WriteNodeKeyAsync(key); // first: when the answer is lost, the site knows this key
        using var deadline = new CancellationTokenSource(Patience, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel, deadline.Token);
        using var network = new TlsPeerNetwork(self, (IPeerTrust?)null, static _ => null, time, NullLogger.Instance);
        var (grant, authority) = await AskAsync(network, token, peer, self, key, limit.Token);
        var certificate = Certificate.Read(grant.Certificate);
        if (certificate is null || !certificate.IsSignedBy(authority) || certificate.Node != self || !certificate.PublicKey.AsSpan().SequenceEqual(key.ExportSubjectPublicKeyInfo())
            || RevocationList.Read(grant.Revocations, authority) is null || GossipKeys.Read(grant.Keys, authority) is null)
            throw new PeerException($"{peer} sent what its own site would not accept");
        await files.WriteAuthorityAsync(authority);
        await files.KeepAsync(SiteFile.Revocations, grant.Revocations);
        await files.KeepAsync(SiteFile.GossipKeys, grant.Keys);
        await files.KeepAsync(SiteFile.Certificate, certificate.Der); // last: what is there now is whole
        return SiteViews.Of(certificate);
    }

    /// <summary>The secret is not sent; and it is used only after the other side has shown a certificate of the site that the token names.</summary>
    private static async Task<(EnrolmentGrant Grant, Certificate Authority)> AskAsync(
        TlsPeerNetwork network, EnrolmentToken token, IPEndPoint peer, NodeId self, ECDsa key, CancellationToken cancel)
    {
        await using var conversation = await OpenAsync(network, peer, cancel);
        if (await ReceiveAsync(conversation, cancel) is not EnrolmentOffer offer)
            throw new PeerException($"{peer} enrols nobody");
        var shown = conversation.PeerCertificate;
        if (Certificate.Read(offer.Authority) is not { } authority || !CryptographicOperations.FixedTimeEquals(authority.Fingerprint, token.Authority)
            || Certificate.Read(shown) is not { } server || !server.IsSignedBy(authority))
            throw new PeerException($"{peer} is not of the site that the token is for");
        var (type, body) = EnrolmentRequest.From(token, offer, shown, self, key).Write();
        await conversation.SendAsync(type, body, cancel);
        return await ReceiveAsync(conversation, cancel) switch
        {
            EnrolmentGrant grant => (grant, authority),
            EnrolmentRefusal refusal => throw new OperationRefusedException(409, $"{conversation.Peer} refuses: {refusal.Why}"),
            _ => throw new PeerException($"{peer} ended without an answer"),
        };
    }

    private static async Task<IPeerConversation> OpenAsync(TlsPeerNetwork network, IPEndPoint peer, CancellationToken cancel)
    {
        try
        {
            return await network.OpenAsync(null, peer, ConversationKind.Enrolment, cancel);
        }
        catch (PeerException error) when (error.InnerException is not SocketException)
        {
            // A node that waits for nobody refuses a machine without certificate in the handshake, which cannot say why.
            throw new PeerException($"{error.Message}; does that node hold the site's authority, and is the token still good?", error);
        }
    }

    private static async Task<EnrolmentMessage?> ReceiveAsync(IPeerConversation conversation, CancellationToken cancel) =>
        await conversation.ReceiveAsync(cancel) is { } frame ? EnrolmentMessage.Read(frame.Type, frame.Body.Span) : null;
}
