using System.Globalization;
using System.Text;
using EdgeFirmware.Mqtt;
using EdgeFirmware.Mqtt.Client;

namespace EdgeFirmware.Firmware.Cli.Messages;

/// <summary>
/// The value of <c>-F</c>: text with sequences that stand for parts of a message (%), for the time (@) and for characters (\), as in
/// mosquitto_sub's manual page.
/// </summary>
internal sealed class MessageFormat
{
    /// <summary>Those that take flags and a width.</summary>
    private const string Padded = "ACEFIlmpRStxX";
    private const string Plain = "DPqrjJU";
    private const int WidthMax = 10_000;

    private readonly List<FormatPart> _parts;

    private MessageFormat(List<FormatPart> parts) => _parts = parts;

    /// <exception cref="FormatException">A sequence is unknown or not finished.</exception>
    public static MessageFormat Parse(string text)
    {
        var parts = new List<FormatPart>();
        for (var rest = text.AsSpan(); !rest.IsEmpty;)
        {
            var special = rest.IndexOfAny("%@\\");
            var literal = special < 0 ? rest : rest[..special];
            if (!literal.IsEmpty) parts.Add(new FormatPart(literal.ToString()));
            rest = rest[literal.Length..];
            if (rest.IsEmpty) break;
            if (rest.Length == 1) throw new FormatException("a sequence is not finished");
            parts.Add(rest[0] switch
            {
                '\\' => new FormatPart(Escape(rest[1]).ToString()),
                '@' when rest[1] == '@' => new FormatPart("@"),
                '@' => TimeFormat.Knows(rest[1]) ? new FormatPart(string.Empty, '@', rest[1]) : throw Unknown(rest[1]),
                _ when rest[1] == '%' => new FormatPart("%"),
                _ => Field(ref rest),
            });
            rest = rest[2..];
        }

        return new MessageFormat(parts);
    }

    /// <returns>False: <c>%J</c> was wanted, and the payload is not JSON.</returns>
    public bool TryWrite(ReceivedMessage received, DateTimeOffset now, bool pretty, Stream output)
    {
        var line = new MemoryStream();
        foreach (var part in _parts)
        {
            switch (part)
            {
                case { Kind: '\0' }: Write(line, part.Literal); break;
                case { Kind: '@' }: Write(line, TimeFormat.Of(part.Letter, now)); break;
                case { Letter: 'p' }: Pad(line, part, received.Message.Payload.Span); break;
                case { Letter: 'D' }: line.Write((received.Message.CorrelationData ?? default).Span); break;
                case { Letter: 'j' or 'J' }:
                    if (!MessageJson.TryWrite(received, now, embed: part.Letter == 'J', pretty, line)) return false;
                    break;
                default: Pad(line, part, Encoding.UTF8.GetBytes(Text(part, received, now))); break;
            }
        }

        line.WriteTo(output);
        return true;
    }

    private static string Text(FormatPart part, ReceivedMessage received, DateTimeOffset now)
    {
        var message = received.Message;
        var text = part.Letter switch
        {
            'C' => message.ContentType ?? string.Empty,
            'E' => Number(message.MessageExpirySeconds),
            'F' => Number(message.PayloadFormat),
            'I' => TimeFormat.Iso(now),
            'l' => Number((uint)message.Payload.Length),
            'm' => Number(received.PacketId),
            'P' => Pairs(message.UserProperties),
            'q' => Number((uint)message.QoS),
            'R' => message.ResponseTopic ?? string.Empty,
            'r' => message.Retain ? "1" : "0",
            'S' => received.SubscriptionIds is [var first, ..] ? Number(first) : string.Empty,
            't' => message.Topic,
            'U' => TimeFormat.Unix(now),
            'x' => Convert.ToHexStringLower(message.Payload.Span),
            'X' => Convert.ToHexString(message.Payload.Span),
            // 'A': aliases have become topics before a message gets here.
            _ => string.Empty,
        };
        return part.Most is { } most && text.Length > most && part.Letter is 'C' or 'I' or 'R' or 't' ? text[..most] : text;
    }

    private static string Number(uint? number) => number?.ToString(CultureInfo.InvariantCulture) ?? string.Empty;

    private static void Pad(Stream line, FormatPart part, ReadOnlySpan<byte> value)
    {
        var missing = part.Least - value.Length;
        var filling = part.Zero && !part.Left && part.Letter is not ('C' or 'I' or 'p' or 'R' or 't') ? (byte)'0' : (byte)' ';
        if (!part.Left) Fill(line, missing, filling);
        line.Write(value);
        if (part.Left) Fill(line, missing, filling);
    }

    private static void Fill(Stream line, int count, byte filling)
    {
        for (; count > 0; count--) line.WriteByte(filling);
    }

    private static void Write(Stream line, string text) => line.Write(Encoding.UTF8.GetBytes(text));

    /// <summary>Leaves <paramref name="rest"/> two characters before what follows, like every other sequence.</summary>
    private static FormatPart Field(ref ReadOnlySpan<char> rest)
    {
        var at = 1;
        bool zero = false, left = false;
        for (; at < rest.Length && rest[at] is '0' or '-'; at++)
        {
            zero |= rest[at] == '0';
            left |= rest[at] == '-';
        }

        var least = Digits(rest, ref at) ?? 0;
        int? most = null;
        if (at < rest.Length && rest[at] == '.')
        {
            at++;
            most = Digits(rest, ref at) ?? throw new FormatException("a width is missing behind the point");
        }

        if (at == rest.Length) throw new FormatException("a sequence is not finished");
        var letter = rest[at];
        var isPlain = Plain.Contains(letter, StringComparison.Ordinal);
        if (!isPlain && !Padded.Contains(letter, StringComparison.Ordinal)) throw Unknown(letter);
        rest = rest[(at - 1)..];
        return isPlain ? new FormatPart(string.Empty, '%', letter) : new FormatPart(string.Empty, '%', letter, zero, left, least, most);
    }

    private static int? Digits(ReadOnlySpan<char> rest, ref int at)
    {
        int? number = null;
        for (; at < rest.Length && char.IsAsciiDigit(rest[at]); at++)
        {
            number = ((number ?? 0) * 10) + rest[at] - '0';
            if (number > WidthMax) throw new FormatException($"a width is at most {WidthMax}");
        }

        return number;
    }

    private static char Escape(char letter) => letter switch
    {
        '\\' => '\\',
        '0' => '\0',
        'a' => '\a',
        'e' => '\e',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\v',
        _ => throw new FormatException($"'\\{letter}' is unknown"),
    };

    private static FormatException Unknown(char letter) => new($"'{letter}' is unknown in a format");

    // A loop, not Select: LINQ over structs is what makes a Native AOT binary large.
    private static string Pairs(IReadOnlyList<UserProperty> properties)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in properties) text.Append(text.Length == 0 ? string.Empty : " ").Append(name).Append(':').Append(value);
        return text.ToString();
    }
}
