using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeFirmware.Mqtt.Tests.Support;

/// <summary>A certificate authority with a directory of PEM files.</summary>
internal sealed class TestAuthority : IDisposable
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    private static readonly DateTimeOffset Begin = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset End = new(2049, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("edge-tls-");
    private readonly X509Certificate2 _root;

    public TestAuthority(string name = "Test CA")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 1, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        _root = request.CreateSelfSigned(Begin, End);
        File.WriteAllText(PathOf("ca.pem"), _root.ExportCertificatePem());
    }

    public string CaFile => PathOf("ca.pem");

    /// <summary>Paths of the broker's certificate and key, for "localhost" and the loopback addresses.</summary>
    public (string Certificate, string Key) Server(string subject = "CN=broker", string file = "server") => Issue(file, subject, ServerAuthentication, End);

    /// <summary>Paths of a client's certificate and key.</summary>
    public (string Certificate, string Key) Client(string subject, DateTimeOffset? end = null, string usage = ClientAuthentication) =>
        Issue($"client-{Guid.NewGuid():N}", subject, usage, end ?? End);

    public (string Certificate, string Key) ClientForServers(string subject) => Client(subject, usage: ServerAuthentication);

    public (string Certificate, string Key) ExpiredClient(string subject) => Client(subject, Begin.AddDays(1));

    public string PathOf(string name) => Path.Combine(_directory.FullName, name);

    public void Dispose()
    {
        _root.Dispose();
        _directory.Delete(recursive: true);
    }

    private (string Certificate, string Key) Issue(string file, string subject, string usage, DateTimeOffset end)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var issued = request.Create(_root, Begin, end, RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(PathOf($"{file}.pem"), issued.ExportCertificatePem());
        File.WriteAllText(PathOf($"{file}.key"), key.ExportPkcs8PrivateKeyPem());
        return (PathOf($"{file}.pem"), PathOf($"{file}.key"));
    }
}
