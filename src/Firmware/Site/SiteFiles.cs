using System.Security.Cryptography;
using System.Text;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mesh.Shell;
using EdgeFirmware.Mesh.Site;
using EdgeFirmware.Platform.Storage;

namespace EdgeFirmware.Firmware.Site;

/// <summary>The files of a site directory. Secrets in it are refused when others than their owner may read them.</summary>
internal sealed class SiteFiles(string directory) : ISiteStore
{
    private const string AuthorityCertificate = "authority.pem";
    private const string AuthorityKeyFile = "authority.key";
    private const string NodeKeyFile = "node.key";
    private const string CertificateLabel = "CERTIFICATE";
    private const int BytesMax = 8 << 20;

    private const UnixFileMode Others =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    public string Directory { get; } = Path.GetFullPath(directory);

    public string NodeKeyPath => PathOf(NodeKeyFile);

    public bool HasAuthorityKey => File.Exists(PathOf(AuthorityKeyFile));

    public bool HasNodeKey => File.Exists(NodeKeyPath);

    public bool Has(SiteFile file) => File.Exists(PathOf(NameOf(file)));

    /// <exception cref="StorageException">It cannot be made.</exception>
    public void Make()
    {
        try
        {
            System.IO.Directory.CreateDirectory(Directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StorageException($"{Directory}: {error.Message}", error);
        }
    }

    /// <exception cref="StorageException">There is none, or it is no certificate of an authority.</exception>
    public Certificate ReadAuthority() =>
        ReadCertificate(AuthorityCertificate) is { IsAuthority: true } authority
            ? authority
            : throw new StorageException($"{PathOf(AuthorityCertificate)}: not the certificate of a site's authority");

    /// <returns><c>null</c> when the authority's key is not here.</returns>
    /// <exception cref="StorageException">The key may be read by others, or is not the certificate's.</exception>
    public SiteAuthority? ReadIssuer(Certificate authority)
    {
        if (!HasAuthorityKey)
            return null;
        var key = ReadKey(AuthorityKeyFile);
        if (SiteAuthority.Open(authority, key) is { } issuer)
            return issuer;
        key.Dispose();
        throw new StorageException($"{PathOf(AuthorityKeyFile)}: not the key of {AuthorityCertificate}");
    }

    /// <inheritdoc cref="ReadIssuer"/>
    public ECDsa ReadNodeKey() => ReadKey(NodeKeyFile);

    /// <exception cref="StorageException">There is none, or it is none.</exception>
    public Certificate ReadNodeCertificate() => ReadCertificate(NameOf(SiteFile.Certificate));

    /// <exception cref="StorageException">It cannot be read, or others may read it.</exception>
    public byte[] Read(SiteFile file)
    {
        var path = PathOf(NameOf(file));
        if (file is SiteFile.GossipKeys or SiteFile.Tokens)
            RefuseOthers(path);
        return ReadBytes(path);
    }

    public Task WriteAuthorityAsync(SiteAuthority authority) =>
        WriteTextAsync(AuthorityKeyFile, authority.ExportKey() + "\n", WriteAuthorityAsync(authority.Certificate));

    public Task WriteAuthorityAsync(Certificate authority) => WriteTextAsync(AuthorityCertificate, Pem(authority.Der), Task.CompletedTask);

    public Task WriteNodeKeyAsync(ECDsa key) => WriteTextAsync(NodeKeyFile, key.ExportPkcs8PrivateKeyPem() + "\n", Task.CompletedTask);

    /// <summary>A certificate is followed by the authority's, as servers of MQTT over TLS want it.</summary>
    public async Task KeepAsync(SiteFile file, byte[] content)
    {
        if (file == SiteFile.Certificate)
            content = Encoding.ASCII.GetBytes(Pem(content) + Pem(ReadAuthority().Der));
        await AtomicFile.WriteAsync(PathOf(NameOf(file)), content, CancellationToken.None);
    }

    private async Task WriteTextAsync(string name, string text, Task after)
    {
        await after;
        await AtomicFile.WriteAsync(PathOf(name), Encoding.ASCII.GetBytes(text), CancellationToken.None);
    }

    private Certificate ReadCertificate(string name)
    {
        var text = Encoding.ASCII.GetString(ReadBytes(PathOf(name)));
        if (PemEncoding.TryFind(text, out var found) && text.AsSpan()[found.Label].SequenceEqual(CertificateLabel)
            && Certificate.Read(Convert.FromBase64String(text[found.Base64Data])) is { } certificate)
            return certificate;
        throw new StorageException($"{PathOf(name)}: no certificate for a P-256 key in PEM");
    }

    private ECDsa ReadKey(string name)
    {
        var path = PathOf(name);
        RefuseOthers(path);
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(Encoding.ASCII.GetString(ReadBytes(path)));
            return key;
        }
        catch (Exception error) when (error is CryptographicException or ArgumentException)
        {
            key.Dispose();
            throw new StorageException($"{path}: no private key in PEM: {error.Message}", error);
        }
    }

    private static byte[] ReadBytes(string path)
    {
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > BytesMax })
                throw new StorageException($"{path}: larger than {BytesMax >> 20} MiB");
            return File.ReadAllBytes(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StorageException($"{path}: {error.Message}", error);
        }
    }

    private static void RefuseOthers(string path)
    {
        if (File.Exists(path) && File.GetUnixFileMode(path) is var mode && (mode & Others) != 0)
            throw new StorageException($"{path}: mode {Convert.ToString((int)mode, 8)} lets others than its owner use this secret; chmod 600 it");
    }

    private static string Pem(byte[] der) => new string(PemEncoding.Write(CertificateLabel, der)) + "\n";

    private string PathOf(string name) => Path.Combine(Directory, name);

    private static string NameOf(SiteFile file) => file switch
    {
        SiteFile.Certificate => "node.pem",
        SiteFile.Revocations => "revocations",
        SiteFile.GossipKeys => "gossip-keys",
        SiteFile.Members => "members",
        SiteFile.Clock => "clock",
        _ => "tokens",
    };
}
