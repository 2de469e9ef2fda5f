using System.Globalization;

namespace EdgeFirmware.Firmware.Cli.Messages;

/// <summary>The value of <c>-L</c>: broker, user and topic in one.</summary>
internal static class BrokerUrl
{
    private const string Plain = "mqtt://";
    private const string Secure = "mqtts://";

    /// <exception cref="FormatException">It has another form.</exception>
    public static void Apply(MessageFlags flags, string url)
    {
        var isSecure = url.StartsWith(Secure, StringComparison.Ordinal);
        if (!isSecure && !url.StartsWith(Plain, StringComparison.Ordinal)) throw new FormatException($"a URL begins with {Plain} or {Secure}");
        flags.Tls |= isSecure;
        var rest = url[(isSecure ? Secure : Plain).Length..];
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        if (slash <= 0 || slash == rest.Length - 1) throw new FormatException("a URL has a host and a topic");
        flags.Topics.Add(rest[(slash + 1)..]);
        var authority = rest[..slash];
        if (authority.LastIndexOf('@') is var at and >= 0)
        {
            var user = authority[..at].Split(':', 2);
            flags.UserName = Uri.UnescapeDataString(user[0]);
            if (user.Length == 2) flags.Password = Uri.UnescapeDataString(user[1]);
            authority = authority[(at + 1)..];
        }

        // An IPv6 address stands in brackets, as in every URL.
        var colon = authority.LastIndexOf(':');
        if (colon > authority.LastIndexOf(']'))
        {
            flags.Port = int.TryParse(authority[(colon + 1)..], NumberStyles.None, null, out var port) && port is > 0 and <= ushort.MaxValue
                ? port
                : throw new FormatException("a port is 1 to 65535");
            authority = authority[..colon];
        }

        flags.Host = authority is ['[', .. var address, ']'] ? address : authority;
        if (flags.Host.Length == 0) throw new FormatException("a URL has a host and a topic");
    }
}
