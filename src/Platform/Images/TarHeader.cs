using System.Buffers.Text;
using System.Text;

namespace EdgeFirmware.Platform.Images;

/// <summary>Fields of a 512-byte tar header and of PAX records. Pure.</summary>
internal static class TarHeader
{
    public static char Kind(ReadOnlySpan<byte> block) => block[156] == 0 ? '0' : (char)block[156];

    public static string LinkPath(ReadOnlySpan<byte> block) => Text(block.Slice(157, 100));

    public static string Path(ReadOnlySpan<byte> block)
    {
        var name = Text(block[..100]);
        // "ustar\0" has a prefix field; GNU's "ustar  " has other things there.
        var prefix = block.Slice(257, 6).SequenceEqual("ustar\0"u8) ? Text(block.Slice(345, 155)) : "";
        return prefix.Length == 0 ? name : $"{prefix}/{name}";
    }

    /// <returns>-1 when the field is not a number.</returns>
    public static long Size(ReadOnlySpan<byte> block)
    {
        var field = block.Slice(124, 12);
        if ((field[0] & 0x80) == 0)
            return Octal(field);
        // GNU base-256 for files of 8 GB and more.
        if (field[0] != 0x80 || field[1..4].IndexOfAnyExcept((byte)0) >= 0)
            return -1;
        var size = System.Buffers.Binary.BinaryPrimitives.ReadInt64BigEndian(field[4..]);
        return size;
    }

    public static bool ChecksumHolds(ReadOnlySpan<byte> block)
    {
        var sum = 8 * ' ';
        for (var i = 0; i < block.Length; i++)
            if (i is < 148 or >= 156)
                sum += block[i];
        return Octal(block.Slice(148, 8)) == sum;
    }

    public static string Text(ReadOnlySpan<byte> field)
    {
        var end = field.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? field : field[..end]);
    }

    /// <summary>Records are <c>length key=value\n</c>, the length counting itself.</summary>
    public static void ReadPax(ReadOnlySpan<byte> records, ref string? path, ref string? linkPath, ref long? size)
    {
        while (Utf8Parser.TryParse(records, out int length, out var digits) && length > digits + 1 && length <= records.Length)
        {
            var record = records[(digits + 1)..(length - 1)];
            records = records[length..];
            var equals = record.IndexOf((byte)'=');
            if (equals < 0)
                continue;
            var value = record[(equals + 1)..];
            if (record[..equals].SequenceEqual("path"u8))
                path = Encoding.UTF8.GetString(value);
            else if (record[..equals].SequenceEqual("linkpath"u8))
                linkPath = Encoding.UTF8.GetString(value);
            else if (record[..equals].SequenceEqual("size"u8) && Utf8Parser.TryParse(value, out long bytes, out _) && bytes >= 0)
                size = bytes;
        }
    }

    private static long Octal(ReadOnlySpan<byte> field)
    {
        field = field.Trim(" \0"u8);
        long value = 0;
        foreach (var digit in field)
        {
            if (digit is < (byte)'0' or > (byte)'7')
                return -1;
            value = (value << 3) + (digit - '0');
        }
        return value;
    }
}
