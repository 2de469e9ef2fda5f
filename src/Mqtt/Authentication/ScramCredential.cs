using System.Security.Cryptography;
using System.Text;

namespace EdgeFirmware.Mqtt.Authentication;

/// <summary>
/// What a server keeps of a password for SCRAM-SHA-256 (RFC 5802 section 3, RFC 7677). It suffices to check a proof, and not to
/// log in elsewhere.
/// </summary>
/// <param name="salt">At least 16 random bytes.</param>
/// <param name="iterations">Rounds of PBKDF2; RFC 7677 section 4 asks for at least 4096.</param>
/// <param name="storedKey">SHA-256 of the client key, 32 bytes.</param>
/// <param name="serverKey">32 bytes.</param>
public sealed class ScramCredential(ReadOnlyMemory<byte> salt, int iterations, ReadOnlyMemory<byte> storedKey, ReadOnlyMemory<byte> serverKey)
{
    /// <summary>RFC 7677 section 4.</summary>
    public const int IterationsMin = 4096;

    /// <summary>Decoys keep their salt as long as this process lives.</summary>
    private static readonly byte[] DecoySecret = RandomNumberGenerator.GetBytes(SHA256.HashSizeInBytes);

    public ReadOnlyMemory<byte> Salt => salt;

    public int Iterations => iterations;

    public ReadOnlyMemory<byte> StoredKey => storedKey;

    public ReadOnlyMemory<byte> ServerKey => serverKey;

    /// <summary>Derives what to keep of a new password. Slow by design: a few milliseconds for 4096 iterations.</summary>
    public static ScramCredential FromPassword(string password, ReadOnlySpan<byte> salt, int iterations)
    {
        var salted = SaltedPassword(password, salt, iterations);
        return new ScramCredential(salt.ToArray(), iterations, SHA256.HashData(ClientKey(salted)), HMACSHA256.HashData(salted, "Server Key"u8));
    }

    /// <summary>Whether this is the password. As slow as <see cref="FromPassword"/>.</summary>
    public bool Accepts(ReadOnlySpan<byte> password)
    {
        var salted = Rfc2898DeriveBytes.Pbkdf2(password, salt.Span, iterations, HashAlgorithmName.SHA256, SHA256.HashSizeInBytes);
        return CryptographicOperations.FixedTimeEquals(SHA256.HashData(ClientKey(salted)), storedKey.Span);
    }

    /// <summary>For a user who does not exist: looks like a credential, the same salt each time, and no password fits it.</summary>
    internal static ScramCredential Decoy(string user, int iterations)
    {
        var salt = HMACSHA256.HashData(DecoySecret, Encoding.UTF8.GetBytes(user));
        return new ScramCredential(salt.AsMemory(0, 16), iterations, RandomNumberGenerator.GetBytes(32), RandomNumberGenerator.GetBytes(32));
    }

    internal static byte[] ClientKey(ReadOnlySpan<byte> saltedPassword) => HMACSHA256.HashData(saltedPassword, "Client Key"u8);

    internal static byte[] SaltedPassword(string password, ReadOnlySpan<byte> salt, int iterations) =>
        Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(password), salt, iterations, HashAlgorithmName.SHA256, SHA256.HashSizeInBytes);
}
