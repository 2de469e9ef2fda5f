using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Firmware.Operations;
using EdgeFirmware.Platform.Storage;

namespace EdgeFirmware.Firmware.Broker;

/// <summary>The administrator's name and password, made at the first start and stored as a salted slow hash (PBKDF2-HMAC-SHA-256).</summary>
internal sealed class AdminCredential : IDisposable
{
    public const string UserName = "admin";

    /// <summary>OWASP's 2023 figure for PBKDF2-HMAC-SHA-256; about half a second on a 32-bit board, once a connection.</summary>
    private const int Iterations = 600_000;
    private const int HashBytes = 32;

    private readonly StoredCredential _stored;
    private readonly SemaphoreSlim _hashing = new(1, 1);
    private byte[]? _lastGood;

    private AdminCredential(StoredCredential stored) => _stored = stored;

    /// <returns>The credential, and the password when it was made just now: it is shown once and kept nowhere.</returns>
    /// <exception cref="StorageException">The data directory cannot be read or written.</exception>
    public static async Task<(AdminCredential Credential, string? NewPassword)> LoadOrCreateAsync(string directory, CancellationToken cancel)
    {
        var path = Path.Combine(directory, "admin.json");
        if (File.Exists(path))
        {
            var stored = await StoredFile.ReadAsync(path, FirmwareJson.Default.StoredCredential, cancel);
            return stored is { User: not null, Salt.Length: > 0, Hash.Length: HashBytes, Iterations: > 0 }
                ? (new AdminCredential(stored), null)
                : throw new StorageException($"{path}: not a credential; remove it to have a new administrator made");
        }
        var password = Convert.ToHexString(RandomNumberGenerator.GetBytes(12)).ToLowerInvariant();
        var salt = RandomNumberGenerator.GetBytes(16);
        var made = new StoredCredential(UserName, salt, Hash(Encoding.UTF8.GetBytes(password), salt, Iterations), Iterations);
        await AtomicFile.WriteAsync(path, JsonSerializer.SerializeToUtf8Bytes(made, FirmwareJson.Default.StoredCredential), cancel);
        return (new AdminCredential(made), password);
    }

    /// <summary>Off the caller's thread, and one at a time: the hash is slow on purpose, and guessing must not take all cores from the node.</summary>
    public async ValueTask<bool> AcceptsAsync(string? user, ReadOnlyMemory<byte> password, CancellationToken cancel)
    {
        if (user != _stored.User)
            return false;
        // A sensor that reconnects every minute shall not cost half a second each time.
        var quick = SHA256.HashData([.. _stored.Salt, .. password.Span]);
        if (_lastGood is { } last && CryptographicOperations.FixedTimeEquals(last, quick))
            return true;
        await _hashing.WaitAsync(cancel);
        try
        {
            var slow = await Task.Run(() => Hash(password.Span, _stored.Salt, _stored.Iterations), cancel);
            if (!CryptographicOperations.FixedTimeEquals(slow, _stored.Hash))
                return false;
            _lastGood = quick;
            return true;
        }
        finally
        {
            _hashing.Release();
        }
    }

    public void Dispose() => _hashing.Dispose();

    private static byte[] Hash(ReadOnlySpan<byte> password, byte[] salt, int iterations) =>
        Rfc2898DeriveBytes.Pbkdf2(password, salt, iterations, HashAlgorithmName.SHA256, HashBytes);
}

/// <param name="Hash">PBKDF2-HMAC-SHA-256 of the password, 32 bytes.</param>
internal sealed record StoredCredential(string User, byte[] Salt, byte[] Hash, int Iterations);
