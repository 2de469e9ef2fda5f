using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeFirmware.Mqtt.Transport.Tls;

/// <summary>Certificates and keys from PEM files.</summary>
internal static class CertificateFiles
{
    /// <summary>A chain of certificates takes a few KiB.</summary>
    private const int FileBytesMax = 256 << 10;

    private const string CommonName = "2.5.4.3";
    private const int CommonNameCharsMax = 256;

    /// <summary>A certificate with its key and with those between it and its root.</summary>
    /// <exception cref="CertificateFileException">Either file cannot be read, is something else, or they do not belong together.</exception>
    public static SslStreamCertificateContext ReadIdentity(string certificatePath, string keyPath)
    {
        var chain = ReadCertificates(certificatePath);
        var key = ReadText(keyPath);
        try
        {
            using var leaf = chain[0];
            var identity = X509Certificate2.CreateFromPem(leaf.ExportCertificatePem(), key);
            chain.RemoveAt(0);
            // Offline: a handshake must not wait for somebody else's web server.
            return SslStreamCertificateContext.Create(identity, chain, offline: true);
        }
        catch (Exception failure) when (failure is CryptographicException or ArgumentException)
        {
            throw new CertificateFileException(keyPath, $"no private key of the certificate in {certificatePath}: {failure.Message}", failure);
        }
    }

    /// <summary>All certificates of a file, in order and at least one.</summary>
    /// <exception cref="CertificateFileException">It cannot be read, or holds no certificate.</exception>
    public static X509Certificate2Collection ReadCertificates(string path)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(ReadText(path));
        }
        catch (CryptographicException failure)
        {
            throw new CertificateFileException(path, $"not a certificate: {failure.Message}", failure);
        }

        return certificates.Count > 0 ? certificates : throw new CertificateFileException(path, "holds no certificate in PEM");
    }

    /// <summary>Chains have to end at one of these authorities, and at no other.</summary>
    /// <exception cref="CertificateFileException">The file holds no certificate.</exception>
    public static X509ChainPolicy TrustOnly(string authorityPath)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(ReadCertificates(authorityPath));
        return policy;
    }

    /// <summary>For a judge of its own: the framework builds a chain before it asks, and this one looks nowhere for its links.</summary>
    public static X509ChainPolicy TrustNothing() => new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true,
        VerificationFlags = X509VerificationFlags.AllFlags,
    };

    /// <summary>The subject's one common name; null when there is none, are several, or it is nothing to show to a person.</summary>
    public static string? CommonNameOf(X509Certificate2 certificate)
    {
        string? found = null;
        foreach (var part in certificate.SubjectName.EnumerateRelativeDistinguishedNames())
        {
            if (part.HasMultipleElements || part.GetSingleElementType().Value != CommonName) continue;
            if (found is not null) return null;
            found = part.GetSingleElementValue();
        }

        return found is { Length: > 0 and <= CommonNameCharsMax } && !found.Any(char.IsControl) ? found : null;
    }

    private static string ReadText(string path)
    {
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > FileBytesMax })
                throw new CertificateFileException(path, $"larger than {FileBytesMax >> 10} KiB");
            return File.ReadAllText(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CertificateFileException(path, failure.Message, failure);
        }
    }
}
