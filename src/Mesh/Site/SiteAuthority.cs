using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeFirmware.Contracts;
using EdgeFirmware.Mesh.Wire;

namespace EdgeFirmware.Mesh.Site;

/// <summary>The key that makes a site: issues certificates and signs the documents that every node obeys. All it needs is its key; it keeps
/// nothing.</summary>
public sealed class SiteAuthority : IDisposable
{
    /// <summary>A node that can reach the authority renews long before.</summary>
    public static readonly TimeSpan UsualValidity = TimeSpan.FromDays(365);

    /// <summary>The site's own lifetime: nothing renews an authority.</summary>
    private const int AuthorityYears = 50;

    /// <summary>Certificates begin earlier than they are issued, for nodes whose clock is slow.</summary>
    private static readonly TimeSpan ClockSlack = TimeSpan.FromDays(1);

    private readonly ECDsa _key;
    private readonly X500DistinguishedName _name;

    private SiteAuthority(ECDsa key, Certificate certificate)
    {
        _key = key;
        Certificate = certificate;
        _name = new X500DistinguishedName(certificate.Subject);
    }

    public Certificate Certificate { get; }

    /// <param name="now">Milliseconds since 1970, as everywhere here.</param>
    public static SiteAuthority Create(string siteName, long now)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(NameOf(siteName), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        var from = DateTimeOffset.FromUnixTimeMilliseconds(now);
        using var made = request.CreateSelfSigned(from, from.AddYears(AuthorityYears));
        return new SiteAuthority(key, Certificate.Read(made.RawData)!);
    }

    /// <returns><c>null</c> when the key is not the certificate's.</returns>
    public static SiteAuthority? Open(Certificate certificate, ECDsa key) =>
        certificate.IsAuthority && key.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(certificate.PublicKey) ? new SiteAuthority(key, certificate) : null;

    /// <summary>PKCS#8, PEM.</summary>
    public string ExportKey() => _key.ExportPkcs8PrivateKeyPem();

    /// <param name="request">PKCS#10: its key is what the certificate is for; its signature shows that the asker holds it.</param>
    /// <returns>The certificate, or <c>null</c> when it is no request, or not for a key on P-256.</returns>
    public Certificate? Issue(byte[] request, NodeId node, long now, TimeSpan validity)
    {
        CertificateRequest asked;
        try
        {
            asked = CertificateRequest.LoadSigningRequest(request, HashAlgorithmName.SHA256);
        }
        catch (Exception error) when (error is CryptographicException or ArgumentException or NotSupportedException)
        {
            return null;
        }
        return Issue(asked.PublicKey, node, now, validity);
    }

    public RevocationList SignRevocations(uint number, IReadOnlyList<RevokedKey> keys, long now) =>
        RevocationList.Read(SignedDocument.Seal(RevocationList.Write(number, now, keys), RevocationList.Purpose, _key), Certificate)!;

    /// <returns>The list after <paramref name="former"/>, with the key of one more node.</returns>
    public RevocationList SignRevocations(RevocationList former, Certificate revoked, long now) =>
        SignRevocations(former.Number + 1, [.. former.Keys, new RevokedKey(revoked.KeyHash, revoked.Node)], now);

    /// <param name="former">What the new key replaces; <c>null</c> for the first.</param>
    public GossipKeys SignNewKey(GossipKeys? former, bool isUrgent, long now)
    {
        var fresh = new GossipKey((former?.Newest.Number ?? 0) + 1, RandomNumberGenerator.GetBytes(DatagramSeal.KeyBytes));
        IReadOnlyList<GossipKey> keys = former is null ? [fresh] : [former.Newest, fresh];
        return GossipKeys.Read(SignedDocument.Seal(GossipKeys.Write((former?.Number ?? 0) + 1, now, isUrgent, keys), GossipKeys.Purpose, _key), Certificate)!;
    }

    public void Dispose() => _key.Dispose();

    /// <returns>What a node sends to be certified: PKCS#10, signed with its key.</returns>
    public static byte[] RequestFor(NodeId node, ECDsa key) => new CertificateRequest(NameOf(node.Name), key, HashAlgorithmName.SHA256).CreateSigningRequest();

    private Certificate? Issue(PublicKey key, NodeId node, long now, TimeSpan validity)
    {
        var request = new CertificateRequest(NameOf(node.Name), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], critical: false));
        request.CertificateExtensions.Add(new X509Extension(Certificate.AlternativeNameId, AlternativeNames(node), critical: false));
        var from = DateTimeOffset.FromUnixTimeMilliseconds(now) - ClockSlack;
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x7F) | 0x40); // a positive integer of full length
        using var made = request.Create(_name, X509SignatureGenerator.CreateForECDsa(_key), from, from + ClockSlack + validity, serial);
        return Certificate.Read(made.RawData);
    }

    /// <summary>The node as a URI, and its name as a host, so that the certificate also serves MQTT over TLS.</summary>
    private static byte[] AlternativeNames(NodeId node)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteCharacterString(UniversalTagNumber.IA5String, Certificate.NodeUri + node.Value, new Asn1Tag(TagClass.ContextSpecific, 6));
            writer.WriteCharacterString(UniversalTagNumber.IA5String, node.Name, new Asn1Tag(TagClass.ContextSpecific, 2));
        }
        return writer.Encode();
    }

    private static X500DistinguishedName NameOf(string commonName)
    {
        var builder = new X500DistinguishedNameBuilder();
        builder.AddCommonName(commonName);
        return builder.Build();
    }
}
