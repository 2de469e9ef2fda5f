using System.Formats.Asn1;
using System.Security.Cryptography;
using EdgeFirmware.Contracts;

namespace EdgeFirmware.Mesh.Site;

/// <summary>What a site reads in an X.509 certificate (RFC 5280) on P-256: nothing else is asked of it. Neither the system's authorities nor
/// the network are consulted.</summary>
/// <param name="Der">The certificate itself.</param>
/// <param name="Issuer">DER of the issuer's name.</param>
/// <param name="Subject">DER of the subject's name.</param>
/// <param name="Name">The subject's common name, or empty.</param>
/// <param name="PublicKey">DER of its SubjectPublicKeyInfo.</param>
/// <param name="NotBefore">Milliseconds since 1970, as is <paramref name="NotAfter"/>.</param>
/// <param name="Node">Of the subject's alternative name; <c>default</c> when it names no node.</param>
/// <param name="IsAuthority">Basic constraints say so.</param>
public sealed record Certificate(
    byte[] Der, byte[] Issuer, byte[] Subject, string Name, byte[] PublicKey, long NotBefore, long NotAfter, NodeId Node, bool IsAuthority)
{
    public const int BytesMax = 2048;

    /// <summary>Before the node ID in the alternative name, a URI.</summary>
    internal const string NodeUri = "urn:edge-firmware:node:";

    internal const string AlternativeNameId = "2.5.29.17";
    private const string BasicConstraintsId = "2.5.29.19";
    private const string CommonNameId = "2.5.4.3";
    private const string EcdsaWithSha256 = "1.2.840.10045.4.3.2";
    private const string EcPublicKey = "1.2.840.10045.2.1";
    private const string P256 = "1.2.840.10045.3.1.7";

    private static readonly Asn1Tag VersionTag = new(TagClass.ContextSpecific, 0, isConstructed: true);
    private static readonly Asn1Tag ExtensionsTag = new(TagClass.ContextSpecific, 3, isConstructed: true);
    private static readonly Asn1Tag UriTag = new(TagClass.ContextSpecific, 6);

    /// <summary>SHA-256 of the whole certificate.</summary>
    public byte[] Fingerprint { get; } = SHA256.HashData(Der);

    /// <summary>SHA-256 of the public key, hexadecimal; it stays over renewals, and it is what is revoked.</summary>
    public string KeyHash { get; } = Convert.ToHexStringLower(SHA256.HashData(PublicKey));

    private byte[] Signed { get; init; } = [];

    private byte[] Signature { get; init; } = [];

    /// <returns><c>null</c> for what is no certificate, or not on P-256.</returns>
    public static Certificate? Read(ReadOnlyMemory<byte> der)
    {
        if (der.Length is 0 or > BytesMax)
            return null;
        try
        {
            var outer = new AsnReader(der, AsnEncodingRules.DER);
            var certificate = outer.ReadSequence();
            outer.ThrowIfNotEmpty();
            var signed = certificate.PeekEncodedValue().ToArray();
            var body = certificate.ReadSequence();
            var algorithm = certificate.ReadSequence().ReadObjectIdentifier();
            var signature = certificate.ReadBitString(out var unused);
            certificate.ThrowIfNotEmpty();
            return algorithm == EcdsaWithSha256 && unused == 0 ? ReadBody(der.ToArray(), body, signed, signature) : null;
        }
        catch (Exception error) when (error is AsnContentException or CryptographicException)
        {
            return null;
        }
    }

    /// <summary>Whether <paramref name="authority"/> has made this certificate.</summary>
    public bool IsSignedBy(Certificate authority)
    {
        if (!authority.IsAuthority || !Issuer.AsSpan().SequenceEqual(authority.Subject))
            return false;
        using var key = authority.OpenKey();
        return key.VerifyData(Signed, Signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
    }

    /// <returns>The public key, to verify with.</returns>
    public ECDsa OpenKey()
    {
        var key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(PublicKey, out _);
        return key;
    }

    private static Certificate? ReadBody(byte[] der, AsnReader body, byte[] signed, byte[] signature)
    {
        if (!body.PeekTag().HasSameClassAndValue(VersionTag) || !body.ReadSequence(VersionTag).TryReadInt32(out var version) || version != 2)
            return null;
        body.ReadIntegerBytes();
        body.ReadSequence();
        var issuer = body.ReadEncodedValue().ToArray();
        var validity = body.ReadSequence();
        var (notBefore, notAfter) = (ReadTime(validity), ReadTime(validity));
        var subject = body.ReadEncodedValue().ToArray();
        var key = body.ReadEncodedValue().ToArray();
        if (!IsP256(key))
            return null;
        var node = default(NodeId);
        var isAuthority = false;
        if (body.HasData && body.PeekTag().HasSameClassAndValue(ExtensionsTag))
            ReadExtensions(body.ReadSequence(ExtensionsTag).ReadSequence(), ref node, ref isAuthority);
        return new Certificate(der, issuer, subject, CommonName(subject), key, notBefore, notAfter, node, isAuthority) { Signed = signed, Signature = signature };
    }

    private static void ReadExtensions(AsnReader extensions, ref NodeId node, ref bool isAuthority)
    {
        while (extensions.HasData)
        {
            var extension = extensions.ReadSequence();
            var id = extension.ReadObjectIdentifier();
            if (extension.PeekTag().HasSameClassAndValue(Asn1Tag.Boolean))
                extension.ReadBoolean();
            if (id is not (BasicConstraintsId or AlternativeNameId))
                continue;
            var value = new AsnReader(extension.ReadOctetString(), AsnEncodingRules.DER).ReadSequence();
            if (id == BasicConstraintsId)
                isAuthority = value.HasData && value.PeekTag().HasSameClassAndValue(Asn1Tag.Boolean) && value.ReadBoolean();
            else
                while (value.HasData)
                    if (!value.PeekTag().HasSameClassAndValue(UriTag))
                        value.ReadEncodedValue();
                    else if (value.ReadCharacterString(UniversalTagNumber.IA5String, UriTag) is var uri && uri.StartsWith(NodeUri, StringComparison.Ordinal))
                        node = NodeId.TryParse(uri[NodeUri.Length..], out var named) ? named : default;
        }
    }

    private static bool IsP256(byte[] publicKey)
    {
        var algorithm = new AsnReader(publicKey, AsnEncodingRules.DER).ReadSequence().ReadSequence();
        return algorithm.ReadObjectIdentifier() == EcPublicKey && algorithm.PeekTag().HasSameClassAndValue(Asn1Tag.ObjectIdentifier)
            && algorithm.ReadObjectIdentifier() == P256;
    }

    private static string CommonName(byte[] name)
    {
        var parts = new AsnReader(name, AsnEncodingRules.DER).ReadSequence();
        while (parts.HasData)
        {
            var part = parts.ReadSetOf().ReadSequence();
            if (part.ReadObjectIdentifier() == CommonNameId && part.PeekTag().TagValue is (int)UniversalTagNumber.UTF8String or (int)UniversalTagNumber.PrintableString)
                return part.ReadCharacterString((UniversalTagNumber)part.PeekTag().TagValue);
        }
        return "";
    }

    private static long ReadTime(AsnReader validity) =>
        (validity.PeekTag().HasSameClassAndValue(Asn1Tag.UtcTime) ? validity.ReadUtcTime() : validity.ReadGeneralizedTime()).ToUnixTimeMilliseconds();
}
