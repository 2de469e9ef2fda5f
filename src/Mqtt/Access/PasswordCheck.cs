using System.Collections.Concurrent;
using System.Security.Cryptography;
using EdgeFirmware.Mqtt.Authentication;

namespace EdgeFirmware.Mqtt.Access;

internal enum PasswordVerdict
{
    Wrong,
    Right,

    /// <summary>Too many wait to be checked.</summary>
    Busy,
}

/// <summary>
/// Checks passwords against slow hashes without giving them all cores: half of them hash, a few dozen wait, the rest is told to come back. What
/// was right once is remembered under a key of this process, so that a sensor that reconnects every minute does not pay again.
/// </summary>
internal sealed class PasswordCheck : IDisposable
{
    /// <summary>Five seconds' worth on a 32-bit board; who waits longer is cut off by the connect timeout, and the hash was for nothing.</summary>
    private const int WaitingMax = 64;

    private readonly byte[] _key = RandomNumberGenerator.GetBytes(SHA256.HashSizeInBytes);
    private readonly ConcurrentDictionary<string, byte[]> _right = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _slots = new(Math.Max(1, Environment.ProcessorCount / 2));
    private int _waiting;

    /// <param name="user">Who it is remembered for.</param>
    public async ValueTask<PasswordVerdict> CheckAsync(
        string user, ScramCredential credential, ReadOnlyMemory<byte> password, CancellationToken cancellation)
    {
        var quick = Quick(credential, password.Span);
        if (_right.TryGetValue(user, out var known) && CryptographicOperations.FixedTimeEquals(known, quick)) return PasswordVerdict.Right;
        if (Interlocked.Increment(ref _waiting) > WaitingMax)
        {
            Interlocked.Decrement(ref _waiting);
            return PasswordVerdict.Busy;
        }

        try
        {
            await _slots.WaitAsync(cancellation);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }

        try
        {
            if (!await Task.Run(() => credential.Accepts(password.Span), cancellation)) return PasswordVerdict.Wrong;
            _right[user] = quick;
            return PasswordVerdict.Right;
        }
        finally
        {
            _slots.Release();
        }
    }

    /// <summary>Forgets all that <paramref name="isUser"/> does not know.</summary>
    public void Forget(Predicate<string> isUser)
    {
        foreach (var user in _right.Keys)
        {
            if (!isUser(user)) _right.TryRemove(user, out _);
        }
    }

    public void Dispose() => _slots.Dispose();

    /// <summary>Bound to the credential: with a new password, or a new salt, nothing is remembered.</summary>
    private byte[] Quick(ScramCredential credential, ReadOnlySpan<byte> password)
    {
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _key);
        hash.AppendData(credential.StoredKey.Span);
        hash.AppendData(password);
        return hash.GetHashAndReset();
    }
}
