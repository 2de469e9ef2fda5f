using System.Globalization;
using System.Text;

namespace EdgeFirmware.Samples.Convolution;

/// <summary>One sensor message: a number and a 50×50 matrix, as text <c>number;v,v,v,…</c> with 2500 integers. The content follows from
/// the number, so that whoever receives a result can check it.</summary>
public static class SensorMatrix
{
    public const int Side = 50;
    public const int Elements = Side * Side;

    /// <summary>The text a sensor sends for a message number.</summary>
    public static string Text(long number)
    {
        var text = new StringBuilder(2 * Elements + 20);
        text.Append(number);
        for (var i = 0; i < Elements; i++)
            text.Append(i == 0 ? ';' : ',').Append(ElementAt(number, i));
        return text.ToString();
    }

    /// <summary>Fills <paramref name="elements"/> (2500) with what the message of that number holds.</summary>
    public static void Fill(long number, Span<int> elements)
    {
        for (var i = 0; i < Elements; i++)
            elements[i] = ElementAt(number, i);
    }

    /// <returns>False when the bytes are not such a message; <paramref name="elements"/> is then undefined.</returns>
    public static bool TryParse(ReadOnlySpan<byte> payload, out long number, Span<int> elements)
    {
        number = 0;
        var semicolon = payload.IndexOf((byte)';');
        if (semicolon < 0 || !long.TryParse(payload[..semicolon], NumberStyles.None, CultureInfo.InvariantCulture, out number))
            return false;
        var rest = payload[(semicolon + 1)..];
        for (var i = 0; i < Elements; i++)
        {
            var comma = rest.IndexOf((byte)',');
            var last = i == Elements - 1;
            if (last != comma < 0 || !int.TryParse(last ? rest : rest[..comma], CultureInfo.InvariantCulture, out elements[i]))
                return false;
            rest = last ? [] : rest[(comma + 1)..];
        }
        return true;
    }

    private static int ElementAt(long number, int index) => (int)((number * 31 + index * 7) % 10);
}
