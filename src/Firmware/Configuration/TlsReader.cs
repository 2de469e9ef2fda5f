using System.Net;
using EdgeFirmware.Mqtt.Transport.Tls;

namespace EdgeFirmware.Firmware.Configuration;

/// <summary>Reads <c>Mqtt.Tls</c>. Whether the files are good is seen when the broker starts.</summary>
/// <param name="text">A key's value; <c>null</c> when it is not given.</param>
internal sealed class TlsReader(Func<string, string?> text, List<string> faults)
{
    private const string Section = "Mqtt.Tls";

    private static readonly string[] FileKeys = ["Certificate", "Key", "ClientAuthority"];

    /// <param name="listen">The addresses; <c>null</c> when the key is not given.</param>
    /// <param name="hasSite">The node has a certificate of a site.</param>
    public TlsConfiguration? Read(IReadOnlyList<IPEndPoint>? listen, bool hasSite)
    {
        string[] others = ["Identity", .. FileKeys, "ClientCertificates", "MinimumVersion"];
        if (listen is null)
        {
            if (others.FirstOrDefault(key => text($"{Section}.{key}") is not null) is { } given)
                faults.Add($"{Section}.Listen: missing, so that {Section}.{given} is for nothing; for example [\"0.0.0.0:8883\"]");
            return null;
        }

        return IsSite(hasSite)
            ? new TlsConfiguration(listen, new TlsServerOptions { ClientCertificates = Clients(), MinimumVersion = Version() }, IsSite: true)
            : new TlsConfiguration(listen, Files());
    }

    private bool IsSite(bool hasSite)
    {
        var identity = text($"{Section}.Identity") ?? "Files";
        if (identity is not ("Files" or "Site"))
            faults.Add($"{Section}.Identity: Files or Site is needed");
        if (identity != "Site")
            return false;
        if (!hasSite)
            faults.Add($"{Section}.Identity: Mesh.Site is missing, whose certificate the broker is to show");
        foreach (var key in FileKeys)
            if (text($"{Section}.{key}") is not null)
                faults.Add($"{Section}.{key}: is for nothing when {Section}.Identity is Site");
        return true;
    }

    private TlsServerOptions Files()
    {
        var certificate = File("Certificate", isNeeded: true);
        var key = File("Key", isNeeded: true);
        var clients = Clients();
        var authority = File("ClientAuthority", isNeeded: clients != ClientCertificates.No);
        if (authority is not null && clients == ClientCertificates.No)
            faults.Add($"{Section}.ClientAuthority: is for nothing unless {Section}.ClientCertificates is Optional or Required");
        return new TlsServerOptions
        {
            CertificateFile = certificate ?? "", KeyFile = key ?? "", AuthorityFile = authority, ClientCertificates = clients, MinimumVersion = Version(),
        };
    }

    private string? File(string key, bool isNeeded)
    {
        var path = text($"{Section}.{key}");
        if (path is null && isNeeded) faults.Add($"{Section}.{key}: missing; a PEM file is needed");
        else if (path is not null && !Path.IsPathFullyQualified(path)) faults.Add($"{Section}.{key}: '{path}' is no absolute path");
        return path;
    }

    private ClientCertificates Clients()
    {
        switch (text($"{Section}.ClientCertificates"))
        {
            case null or "No": return ClientCertificates.No;
            case "Optional": return ClientCertificates.Optional;
            case "Required": return ClientCertificates.Required;
            default:
                faults.Add($"{Section}.ClientCertificates: No, Optional or Required is needed");
                return ClientCertificates.No;
        }
    }

    private TlsVersion Version()
    {
        var version = text($"{Section}.MinimumVersion") ?? "1.2";
        if (version is not ("1.2" or "1.3")) faults.Add($"{Section}.MinimumVersion: \"1.2\" or \"1.3\" is needed");
        return version == "1.3" ? TlsVersion.Tls13 : TlsVersion.Tls12;
    }
}
