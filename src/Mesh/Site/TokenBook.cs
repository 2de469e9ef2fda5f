using System.Security.Cryptography;

namespace EdgeFirmware.Mesh.Site;

/// <summary>Tokens that have been given out and not used, by what proves them. A token is struck out before the certificate is made, so that a
/// crash in between costs a token and never lets two in.</summary>
public sealed class TokenBook
{
    public const int TokensMax = 256;

    internal const int IdBytes = 8;
    private const int VerifierBytes = 32;
    private const byte Version = 1;

    private readonly List<Waiting> _tokens = [];

    public int Count => _tokens.Count;

    /// <returns><c>false</c> when too many are waiting.</returns>
    public bool Add(EnrolmentToken token, long now)
    {
        _tokens.RemoveAll(one => one.Expires <= now);
        if (_tokens.Count >= TokensMax)
            return false;
        var verifier = token.Verifier;
        _tokens.Add(new Waiting(EnrolmentToken.IdOf(verifier), verifier, token.Expires));
        return true;
    }

    /// <summary>Whether any could still be used.</summary>
    public bool HasLive(long now)
    {
        foreach (var token in _tokens)
            if (token.Expires > now)
                return true;
        return false;
    }

    /// <summary>Strikes the token out when it is good.</summary>
    /// <returns>What is wrong, or empty.</returns>
    internal string Take(EnrolmentOffer offer, EnrolmentRequest request, byte[] serverCertificate, long now)
    {
        for (var i = 0; i < _tokens.Count; i++)
        {
            var (id, verifier, expires) = _tokens[i];
            if (!id.AsSpan().SequenceEqual(request.TokenId))
                continue;
            var proof = EnrolmentToken.Prove(verifier, offer, serverCertificate, request.Nonce, request.Node.Value, request.CertificateRequest);
            if (!CryptographicOperations.FixedTimeEquals(proof, request.Proof))
                return "the proof of the token is wrong";
            if (expires <= now)
                return "the token has expired";
            _tokens.RemoveAt(i);
            return "";
        }
        return "the token is not known here, or was used";
    }

    public byte[] ToBytes()
    {
        var writer = new SiteWriter().U8(Version).U16((ushort)_tokens.Count);
        foreach (var (_, verifier, expires) in _tokens)
            writer.Fixed(verifier).U64((ulong)expires);
        return writer.ToArray();
    }

    /// <returns><c>null</c> for what is no such file.</returns>
    public static TokenBook? Read(byte[] bytes)
    {
        var reader = new SiteReader(bytes);
        var version = reader.U8();
        var count = reader.Count(TokensMax, VerifierBytes + 8);
        var book = new TokenBook();
        for (var i = 0; i < count; i++)
        {
            var verifier = reader.Fixed(VerifierBytes);
            book._tokens.Add(new Waiting(EnrolmentToken.IdOf(verifier), verifier, (long)reader.U64()));
        }
        return reader.IsDone && version == Version ? book : null;
    }

    private sealed record Waiting(byte[] Id, byte[] Verifier, long Expires);
}
