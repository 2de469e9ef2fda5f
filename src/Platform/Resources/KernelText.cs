using System.Buffers.Text;

namespace EdgeFirmware.Platform.Resources;

/// <summary>Busy and total processor time since boot, in clock ticks over all processors.</summary>
internal readonly record struct CpuTicks(long Busy, long Total);

/// <summary>Reads the numbers that the firmware needs out of the text of <c>/proc</c>, <c>/sys</c> and cgroup files, without allocating. Text
/// that is empty, cut off or something else gives "absent", never an exception: kernels differ, and a missing figure is not a failure.</summary>
internal static class KernelText
{
    public const long Absent = -1;

    /// <summary>A file that holds one number. <c>max</c> and negative numbers (no limit) are <see cref="Absent"/>.</summary>
    public static long Number(ReadOnlySpan<byte> text)
    {
        text = text.Trim(" \n\t"u8);
        return Utf8Parser.TryParse(text, out long value, out _) && value >= 0 ? value : Absent;
    }

    /// <summary>A file that holds one number of either sign.</summary>
    public static long? Signed(ReadOnlySpan<byte> text)
    {
        text = text.Trim(" \n\t"u8);
        return Utf8Parser.TryParse(text, out long value, out _) ? value : null;
    }

    /// <summary>The number after <paramref name="key"/> at the start of a line, as in <c>/proc/meminfo</c> (key with its colon) and in flat
    /// keyed cgroup files (Documentation/admin-guide/cgroup-v2.rst).</summary>
    public static long Keyed(ReadOnlySpan<byte> text, ReadOnlySpan<byte> key)
    {
        while (!text.IsEmpty)
        {
            var end = text.IndexOf((byte)'\n');
            var line = end < 0 ? text : text[..end];
            if (line.Length > key.Length && line.StartsWith(key) && line[key.Length] == ' ')
                return Number(line[key.Length..]);
            text = end < 0 ? default : text[(end + 1)..];
        }
        return Absent;
    }

    /// <summary>First line of <c>/proc/stat</c>. Time spent waiting for I/O is idle: the processor could work. Guest time is part of user time
    /// (proc(5)).</summary>
    public static CpuTicks? Stat(ReadOnlySpan<byte> text)
    {
        if (!text.StartsWith("cpu "u8))
            return null;
        text = text[4..];
        long total = 0;
        long idle = 0;
        // user nice system idle iowait irq softirq steal
        for (var field = 0; field < 8; field++)
        {
            text = text.TrimStart(" "u8);
            if (!Utf8Parser.TryParse(text, out long ticks, out var length) || ticks < 0)
                return field < 4 ? null : new CpuTicks(total - idle, total);
            total += ticks;
            if (field is 3 or 4)
                idle += ticks;
            text = text[length..];
        }
        return new CpuTicks(total - idle, total);
    }

    /// <summary><c>some avg10</c> of a pressure file (Documentation/accounting/psi.rst) as a share, 0 where the kernel has none.</summary>
    public static double Pressure(ReadOnlySpan<byte> text)
    {
        var start = text.IndexOf("some avg10="u8);
        if (start < 0)
            return 0;
        return Utf8Parser.TryParse(text[(start + 11)..], out double percent, out _) && percent is >= 0 and <= 100 ? percent / 100 : 0;
    }

    /// <summary>How many processors a list such as <c>0-3,6</c> names; 0 when it is none.</summary>
    public static int ListedCount(ReadOnlySpan<byte> text)
    {
        text = text.Trim(" \n"u8);
        var count = 0;
        while (Utf8Parser.TryParse(text, out int first, out var length))
        {
            var last = first;
            text = text[length..];
            if (!text.IsEmpty && text[0] == '-' && Utf8Parser.TryParse(text[1..], out last, out length))
                text = text[(length + 1)..];
            if (last < first)
                return 0;
            count += last - first + 1;
            if (text.IsEmpty || text[0] != ',')
                break;
            text = text[1..];
        }
        return count;
    }

    /// <summary>cgroup v2 <c>cpu.max</c>: <c>quota period</c> in microseconds, or <c>max period</c>.</summary>
    /// <returns>Cores; 0 without a quota.</returns>
    public static double CpuMax(ReadOnlySpan<byte> text)
    {
        if (!Utf8Parser.TryParse(text, out long quota, out var length) || length >= text.Length || text[length] != ' ')
            return 0;
        return Cores(quota, Number(text[(length + 1)..]));
    }

    /// <returns>Cores; 0 without a quota.</returns>
    public static double Cores(long quota, long period) => quota > 0 && period > 0 ? (double)quota / period : 0;
}
