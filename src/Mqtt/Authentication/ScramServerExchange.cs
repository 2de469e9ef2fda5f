using System.Security.Cryptography;
using System.Text;
using EdgeFirmware.Mqtt.Broker;

namespace EdgeFirmware.Mqtt.Authentication;

/// <summary>
/// SCRAM-SHA-256 without channel binding, the broker's side (RFC 5802 with RFC 7677). The password never crosses the wire, and the
/// client learns that the broker knows its credential. A user that does not exist gets a salt of its own and fails only at the proof.
/// </summary>
public sealed class ScramServerExchange : IAuthenticationExchange
{
    /// <summary>What a client names in its CONNECT.</summary>
    public const string Method = ScramMessage.Method;

    private readonly IScramCredentials _credentials;
    private readonly ConnectAttempt _attempt;
    private readonly string _serverNonce;
    private string _header = string.Empty;
    private string _clientFirst = string.Empty;
    private string _serverFirst = string.Empty;
    private string _nonce = string.Empty;
    private ScramCredential? _credential;
    private Principal? _principal;

    public ScramServerExchange(IScramCredentials credentials, ConnectAttempt attempt)
        : this(credentials, attempt, ScramMessage.NewNonce())
    {
    }

    /// <summary>With a nonce that is known, for the examples of the RFC.</summary>
    internal ScramServerExchange(IScramCredentials credentials, ConnectAttempt attempt, string serverNonce)
    {
        _credentials = credentials;
        _attempt = attempt;
        _serverNonce = serverNonce;
    }

    public async ValueTask<AuthenticationStep> ContinueAsync(ReadOnlyMemory<byte>? data, CancellationToken cancellation)
    {
        if (ScramMessage.Text(data) is not { } message) return AuthenticationStep.Refuse(ReasonCode.NotAuthorized);
        return _credential is { } credential ? Finish(message, credential) : await StartAsync(message, cancellation);
    }

    /// <summary>The client's first message: "n,,n=user,r=nonce". The answer: "r=both nonces,s=salt,i=iterations".</summary>
    private async ValueTask<AuthenticationStep> StartAsync(string message, CancellationToken cancellation)
    {
        if (!TryReadFirst(message, out var user)) return AuthenticationStep.Refuse(ReasonCode.NotAuthorized);
        var found = await _credentials.FindAsync(user, _attempt, cancellation);
        _principal = found?.Principal;
        _credential = found?.Credential ?? ScramCredential.Decoy(user, _credentials.UsualIterations);
        _serverFirst = $"r={_nonce},s={Convert.ToBase64String(_credential.Salt.Span)},i={_credential.Iterations}";
        return AuthenticationStep.Continue(Encoding.UTF8.GetBytes(_serverFirst));
    }

    private bool TryReadFirst(string message, out string user)
    {
        user = string.Empty;
        // "p" would bind the exchange to a TLS channel, which this mechanism name rules out.
        if (message is not (['n' or 'y', ',', ..])) return false;
        var headerEnd = message.IndexOf(',', 2);
        if (headerEnd < 0) return false;
        var authorizeAs = message[2..headerEnd];
        _header = message[..(headerEnd + 1)];
        _clientFirst = message[(headerEnd + 1)..];
        var rest = _clientFirst;
        if (ScramMessage.Next(ref rest, 'n') is not { } name || ScramMessage.UnescapeName(name) is not { } plain) return false;
        if (ScramMessage.Next(ref rest, 'r') is not { } nonce || !ScramMessage.IsNonce(nonce)) return false;
        // Nobody may act as somebody else.
        if (authorizeAs.Length > 0 && authorizeAs != $"a={name}") return false;
        user = plain;
        _nonce = nonce + _serverNonce;
        return true;
    }

    /// <summary>The client's last message: "c=header,r=both nonces,p=proof". The answer: "v=the broker's signature".</summary>
    private AuthenticationStep Finish(string message, ScramCredential credential)
    {
        var refused = AuthenticationStep.Refuse(ReasonCode.NotAuthorized);
        var rest = message;
        var bound = ScramMessage.Next(ref rest, 'c');
        var nonce = ScramMessage.Next(ref rest, 'r');
        var proofAt = message.LastIndexOf(",p=", StringComparison.Ordinal);
        if (bound != Convert.ToBase64String(Encoding.UTF8.GetBytes(_header)) || nonce != _nonce || proofAt < 0) return refused;
        if (ScramMessage.Decode(message[(proofAt + 3)..], SHA256.HashSizeInBytes, SHA256.HashSizeInBytes) is not { } proof) return refused;

        var signed = $"{_clientFirst},{_serverFirst},{message[..proofAt]}";
        var clientKey = ScramMessage.Xor(proof, ScramMessage.Sign(credential.StoredKey.Span, signed));
        var proven = CryptographicOperations.FixedTimeEquals(SHA256.HashData(clientKey), credential.StoredKey.Span);
        if (!proven || _principal is not { } principal) return refused;
        var signature = Convert.ToBase64String(ScramMessage.Sign(credential.ServerKey.Span, signed));
        return AuthenticationStep.Accept(principal, Encoding.UTF8.GetBytes($"v={signature}"));
    }
}
