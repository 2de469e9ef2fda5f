using System.Security.Cryptography;
using System.Text;
using System.Text.Unicode;

namespace EdgeFirmware.Mqtt.Authentication;

/// <summary>The grammar of SCRAM messages (RFC 5802 section 7): attributes "a=value" between commas, in a fixed order.</summary>
internal static class ScramMessage
{
    public const string Method = "SCRAM-SHA-256";

    /// <summary>Well over what names, nonces, salts and proofs need; more is no SCRAM.</summary>
    private const int BytesMax = 4096;

    private const int NonceBytes = 24;

    public static string NewNonce() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(NonceBytes));

    /// <summary>The message as text; null when it is none.</summary>
    public static string? Text(ReadOnlyMemory<byte>? data) =>
        data is { Length: > 0 and <= BytesMax } bytes && Utf8.IsValid(bytes.Span) && !bytes.Span.Contains((byte)0)
            ? Encoding.UTF8.GetString(bytes.Span)
            : null;

    /// <summary>Takes the attribute that must come next off the front of <paramref name="rest"/>; null when it is another or empty.</summary>
    public static string? Next(ref string rest, char name)
    {
        if (rest.Length < 3 || rest[0] != name || rest[1] != '=') return null;
        var comma = rest.IndexOf(',', StringComparison.Ordinal);
        var value = comma < 0 ? rest[2..] : rest[2..comma];
        rest = comma < 0 ? string.Empty : rest[(comma + 1)..];
        return value.Length > 0 ? value : null;
    }

    /// <summary>Base64 of a known length; null when it is not.</summary>
    public static byte[]? Decode(string? base64, int bytesMin, int bytesMax)
    {
        if (base64 is null || base64.Length > 4 * ((bytesMax + 2) / 3)) return null;
        var bytes = new byte[base64.Length];
        return Convert.TryFromBase64String(base64, bytes, out var written) && written >= bytesMin && written <= bytesMax ? bytes[..written] : null;
    }

    /// <summary>A nonce is printable ASCII; commas are gone already.</summary>
    public static bool IsNonce(string nonce)
    {
        foreach (var c in nonce)
        {
            if (c is < '!' or > '~') return false;
        }

        return true;
    }

    public static string EscapeName(string name) =>
        name.Replace("=", "=3D", StringComparison.Ordinal).Replace(",", "=2C", StringComparison.Ordinal);

    /// <summary>Null when an equals sign stands for neither itself nor a comma.</summary>
    public static string? UnescapeName(string name)
    {
        var plain = name.Replace("=2C", ",", StringComparison.Ordinal).Replace("=3D", "\0", StringComparison.Ordinal);
        return plain.Contains('=', StringComparison.Ordinal) ? null : plain.Replace('\0', '=');
    }

    public static byte[] Sign(ReadOnlySpan<byte> key, string message) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(message));

    /// <summary>Proof from key or key from proof (RFC 5802 section 3).</summary>
    public static byte[] Xor(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        var result = new byte[left.Length];
        for (var i = 0; i < result.Length; i++) result[i] = (byte)(left[i] ^ right[i]);
        return result;
    }
}
