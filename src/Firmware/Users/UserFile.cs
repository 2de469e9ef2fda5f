using System.Text;
using System.Text.Json;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Firmware.Broker;
using EdgeFirmware.Firmware.Operations;
using EdgeFirmware.Mqtt.Access;
using EdgeFirmware.Mqtt.Authentication;
using EdgeFirmware.Platform.Storage;

namespace EdgeFirmware.Firmware.Users;

/// <summary><c>users.json</c> of the data directory: reads it whole or says everything that is wrong with it, and replaces it atomically.</summary>
internal sealed class UserFile(string directory)
{
    /// <summary>Seconds for each login; more is a mistake.</summary>
    private const int IterationsMax = 10_000_000;
    private const int FileBytesMax = 16 << 20;
    private const int KeyBytes = 32;

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public string Path { get; } = System.IO.Path.Combine(directory, "users.json");

    /// <summary>Changes when somebody writes the file; null while there is none.</summary>
    public (DateTime Written, long Bytes)? Stamp
    {
        get
        {
            var file = new FileInfo(Path);
            return file.Exists ? (file.LastWriteTimeUtc, file.Length) : null;
        }
    }

    /// <summary>The file may be read by others than its owner.</summary>
    public bool IsOpenToOthers =>
        File.Exists(Path) && (File.GetUnixFileMode(Path) & ~(UnixFileMode.UserRead | UnixFileMode.UserWrite)) != UnixFileMode.None;

    /// <summary>What it says; nothing, when there is none.</summary>
    /// <exception cref="StorageException">Each line names a fault.</exception>
    public async Task<StoredUsers> ReadAsync(CancellationToken cancel)
    {
        if (Stamp is not { } stamp)
            return new StoredUsers();
        if (stamp.Bytes > FileBytesMax)
            throw new StorageException($"{Path}: larger than {FileBytesMax >> 20} MiB");
        var stored = await StoredFile.ReadAsync(Path, FirmwareJson.Default.StoredUsers, cancel);
        var faults = new List<string>();
        Build(stored, faults);
        return faults.Count == 0 ? stored : throw new StorageException(string.Join(Environment.NewLine, faults.Select(fault => $"{Path}: {fault}")));
    }

    /// <exception cref="StorageException">It could not be written; the old content is untouched.</exception>
    public Task WriteAsync(StoredUsers users, CancellationToken cancel)
    {
        var text = JsonSerializer.SerializeToNode(users, FirmwareJson.Default.StoredUsers)!.ToJsonString(Indented);
        return AtomicFile.WriteAsync(Path, Encoding.UTF8.GetBytes(text + "\n"), cancel);
    }

    /// <summary>The directory it describes, or null with every fault.</summary>
    public static UserDirectory? Build(StoredUsers stored, List<string> faults)
    {
        // The reader lets pass what is null inside of lists, and names that are missing.
        if (stored.Users.Any(user => user?.Name is null) || stored.Tenants.Any(tenant => tenant?.Name is null))
        {
            faults.Add("every user and every tenant needs a name");
            return null;
        }
        var tenants = stored.Tenants.Select(tenant => new Tenant(tenant.Name)
        {
            Rules = Rules($"tenant '{tenant.Name}'", tenant.Rules, faults), Quotas = tenant.Quotas ?? Quotas.None,
        }).ToList();
        var users = stored.Users.Select(user => new User(user.Name)
        {
            Tenant = user.Tenant, IsEnabled = user.Enabled, Credential = Credential(user, faults),
            Rules = Rules($"user '{user.Name}'", user.Rules, faults), Quotas = user.Quotas ?? Quotas.None,
        }).ToList();
        foreach (var user in users.Where(user => NodeAccess.IsReserved(user.Name)))
            faults.Add($"user '{user.Name}': the name is the firmware's own");
        faults.AddRange(UserDirectory.Faults(users, tenants));
        faults.AddRange(stored.Users.SelectMany(user => user.Workloads?.Faults().Select(fault => $"user '{user.Name}': {fault}") ?? []));
        faults.AddRange(stored.Tenants.SelectMany(tenant => tenant.Workloads?.Faults().Select(fault => $"tenant '{tenant.Name}': {fault}") ?? []));
        return faults.Count == 0 ? new UserDirectory(users, tenants) : null;
    }

    private static List<TopicRule> Rules(string whose, IReadOnlyList<string> texts, List<string> faults)
    {
        var rules = new List<TopicRule>();
        foreach (var text in texts)
            if (TopicRule.Parse(text ?? "", out var fault) is { } rule)
                rules.Add(rule);
            else
                faults.Add($"{whose}: {fault}");
        return rules;
    }

    private static ScramCredential? Credential(StoredUser user, List<string> faults)
    {
        if (user.Password is not { } kept)
            return null;
        if (kept is { Salt.Length: >= 8 and <= 256, StoredKey.Length: KeyBytes, ServerKey.Length: KeyBytes }
            && kept.Iterations is >= ScramCredential.IterationsMin and <= IterationsMax)
            return new ScramCredential(kept.Salt, kept.Iterations, kept.StoredKey, kept.ServerKey);
        faults.Add($"user '{user.Name}': password: salt of 8 to 256 bytes, {ScramCredential.IterationsMin} to {IterationsMax} iterations and two keys of 32 bytes are needed");
        return null;
    }
}
