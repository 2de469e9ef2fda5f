using System.Buffers.Text;

namespace EdgeFirmware.Platform.Resources.Health;

/// <param name="Writes">Requests completed.</param>
/// <param name="Sectors">Of 512 bytes, whatever the device's.</param>
/// <param name="Milliseconds">Sum of how long each request took.</param>
internal readonly record struct WriteCounts(long Writes, long Sectors, long Milliseconds);

/// <summary>Reads what the kernel tells of storage, without allocating. Text that is something else gives "absent".</summary>
internal static class StorageText
{
    /// <summary><c>/sys/block/DISK/stat</c> (Documentation/block/stat.rst): 11 to 17 decimal fields, of which 5-8 are about writes.</summary>
    public static WriteCounts? Stat(ReadOnlySpan<byte> text)
    {
        Span<long> fields = stackalloc long[8];
        for (var i = 0; i < fields.Length; i++)
        {
            text = text.TrimStart(" "u8);
            if (!Utf8Parser.TryParse(text, out fields[i], out var length) || fields[i] < 0)
                return null;
            text = text[length..];
        }
        return new WriteCounts(fields[4], fields[6], fields[7]);
    }

    /// <summary>eMMC <c>life_time</c>: two bytes such as <c>0x01 0x0a</c>, for both types of cells (drivers/mmc/core/mmc.c; JESD84-B51, EXT_CSD
    /// 268 and 269): 1 is 0-10 % used, 10 is 90-100 %, 11 more than rated, 0 not known.</summary>
    /// <returns>The share that is surely used, of the worse type; negative when neither is known.</returns>
    public static double LifeTime(ReadOnlySpan<byte> text)
    {
        var a = Hex(text);
        var space = text.IndexOf((byte)' ');
        var worse = Math.Max(a, space < 0 ? 0 : Hex(text[(space + 1)..]));
        return worse is > 0 and <= 11 ? (worse - 1) / 10.0 : KernelText.Absent;
    }

    /// <summary>eMMC <c>pre_eol_info</c> (EXT_CSD 267): reserve blocks used up; 1 normal, 2 80 %, 3 90 %.</summary>
    public static double PreEndOfLife(ReadOnlySpan<byte> text) => Hex(text) switch
    {
        1 => 0,
        2 => 0.8,
        3 => 0.9,
        _ => KernelText.Absent,
    };

    /// <summary>SCSI's <c>ioerr_cnt</c> is written as <c>0x1f</c> (drivers/scsi/scsi_sysfs.c), the Raspberry Pi's <c>get_throttled</c> as
    /// <c>50005</c>, hexadecimal too.</summary>
    public static long Hex(ReadOnlySpan<byte> text)
    {
        text = text.Trim(" \n"u8);
        if (text.StartsWith("0x"u8) || text.StartsWith("0X"u8))
            text = text[2..];
        return Utf8Parser.TryParse(text, out long value, out _, 'x') && value >= 0 ? value : KernelText.Absent;
    }

    /// <summary>Sum of <c>err_stats</c> of an MMC host in debugfs: lines such as <c># Data CRC Errors Occurred:  2</c> (drivers/mmc/core/debugfs.c).
    /// Errors of tuning belong to choosing a speed and are none of the card's.</summary>
    public static long HostErrors(ReadOnlySpan<byte> text)
    {
        long sum = KernelText.Absent;
        while (!text.IsEmpty)
        {
            var end = text.IndexOf((byte)'\n');
            var line = end < 0 ? text : text[..end];
            var colon = line.LastIndexOf((byte)':');
            if (line.StartsWith("# "u8) && colon > 0 && line.IndexOf("Tuning"u8) < 0 && KernelText.Number(line[(colon + 1)..]) is >= 0 and var count)
                sum = Math.Max(0, sum) + count;
            text = end < 0 ? default : text[(end + 1)..];
        }
        return sum;
    }
}
