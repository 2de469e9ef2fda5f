using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace EdgeFirmware.Mqtt.Authentication;

/// <summary>SCRAM-SHA-256 without channel binding, the client's side (RFC 5802 with RFC 7677).</summary>
public sealed class ScramClient : IClientAuthentication
{
    /// <summary>A broker that asks for more wants the processor, not a proof. A hundred times what RFC 7677 asks for at least.</summary>
    private const int IterationsMax = 100 * ScramCredential.IterationsMin;

    private const int SaltBytesMax = 1024;

    private readonly string _userName;
    private readonly string _password;
    private readonly Func<string> _newNonce;
    private string _nonce = string.Empty;
    private string _clientFirst = string.Empty;
    private byte[]? _serverSignature;

    public ScramClient(string userName, string password)
        : this(userName, password, ScramMessage.NewNonce)
    {
    }

    /// <summary>With nonces that are known, for the examples of the RFC.</summary>
    internal ScramClient(string userName, string password, Func<string> newNonce)
    {
        _userName = userName;
        _password = password;
        _newNonce = newNonce;
    }

    public string Method => ScramMessage.Method;

    public ReadOnlyMemory<byte>? Start()
    {
        _serverSignature = null;
        _nonce = _newNonce();
        _clientFirst = $"n={ScramMessage.EscapeName(_userName)},r={_nonce}";
        return Encoding.UTF8.GetBytes($"n,,{_clientFirst}");
    }

    public ReadOnlyMemory<byte>? Respond(ReadOnlyMemory<byte>? challenge)
    {
        if (_serverSignature is not null || ScramMessage.Text(challenge) is not { } serverFirst) return null;
        var rest = serverFirst;
        var nonce = ScramMessage.Next(ref rest, 'r');
        var salt = ScramMessage.Decode(ScramMessage.Next(ref rest, 's'), 1, SaltBytesMax);
        // The nonce must be ours with something of the broker's behind it, or an old exchange is being replayed.
        if (nonce is null || salt is null || nonce.Length <= _nonce.Length || !nonce.StartsWith(_nonce, StringComparison.Ordinal)) return null;
        if (!int.TryParse(ScramMessage.Next(ref rest, 'i'), NumberStyles.None, CultureInfo.InvariantCulture, out var iterations)) return null;
        if (iterations is < ScramCredential.IterationsMin or > IterationsMax) return null;

        var salted = ScramCredential.SaltedPassword(_password, salt, iterations);
        var clientKey = ScramCredential.ClientKey(salted);
        var last = $"c=biws,r={nonce}";
        var signed = $"{_clientFirst},{serverFirst},{last}";
        _serverSignature = ScramMessage.Sign(HMACSHA256.HashData(salted, "Server Key"u8), signed);
        var proof = ScramMessage.Xor(clientKey, ScramMessage.Sign(SHA256.HashData(clientKey), signed));
        return Encoding.UTF8.GetBytes($"{last},p={Convert.ToBase64String(proof)}");
    }

    public bool Verify(ReadOnlyMemory<byte>? data)
    {
        if (_serverSignature is not { } expected || ScramMessage.Text(data) is not { } last) return false;
        var signature = ScramMessage.Decode(ScramMessage.Next(ref last, 'v'), expected.Length, expected.Length);
        return signature is not null && CryptographicOperations.FixedTimeEquals(signature, expected);
    }
}
