using System.Globalization;

namespace EdgeFirmware.Firmware.Cli.Messages;

/// <summary>The sequences of strftime(3) in the C locale, and @N for the nanoseconds of the second.</summary>
internal static class TimeFormat
{
    private const string Letters = "aAbBcCdDeFGhHIjklmMnNpPrRsStTuUVwWxXyYzZg";

    public static bool Knows(char letter) => Letters.Contains(letter, StringComparison.Ordinal);

    /// <summary>Such as 2016-08-10T09:47:38+0100.</summary>
    public static string Iso(DateTimeOffset time) => Text(time, "yyyy-MM-ddTHH:mm:ss") + Zone(time);

    /// <summary>With microseconds.</summary>
    public static string IsoPrecise(DateTimeOffset time) => Text(time, "yyyy-MM-ddTHH:mm:ss.ffffff") + Zone(time);

    /// <summary>Seconds and nanoseconds since 1970.</summary>
    public static string Unix(DateTimeOffset time) => $"{time.ToUnixTimeSeconds()}.{Nanoseconds(time):000000000}";

    public static string Of(char letter, DateTimeOffset time) => letter switch
    {
        'a' => Text(time, "ddd"),
        'A' => Text(time, "dddd"),
        'b' or 'h' => Text(time, "MMM"),
        'B' => Text(time, "MMMM"),
        'c' => $"{Text(time, "ddd MMM")} {time.Day,2} {Text(time, "HH:mm:ss yyyy")}",
        'C' => $"{time.Year / 100:00}",
        'd' => Text(time, "dd"),
        'D' or 'x' => Text(time, "MM/dd/yy"),
        'e' => $"{time.Day,2}",
        'F' => Text(time, "yyyy-MM-dd"),
        'g' => $"{ISOWeek.GetYear(time.DateTime) % 100:00}",
        'G' => $"{ISOWeek.GetYear(time.DateTime)}",
        'H' => Text(time, "HH"),
        'I' => Text(time, "hh"),
        'j' => $"{time.DayOfYear:000}",
        'k' => $"{time.Hour,2}",
        'l' => $"{((time.Hour + 11) % 12) + 1,2}",
        'm' => Text(time, "MM"),
        'M' => Text(time, "mm"),
        'n' => "\n",
        'N' => $"{Nanoseconds(time):000000000}",
        'p' => time.Hour < 12 ? "AM" : "PM",
        'P' => time.Hour < 12 ? "am" : "pm",
        'r' => $"{Text(time, "hh:mm:ss")} {(time.Hour < 12 ? "AM" : "PM")}",
        'R' => Text(time, "HH:mm"),
        's' => $"{time.ToUnixTimeSeconds()}",
        'S' => Text(time, "ss"),
        't' => "\t",
        'T' or 'X' => Text(time, "HH:mm:ss"),
        'u' => $"{(((int)time.DayOfWeek + 6) % 7) + 1}",
        'U' => $"{(time.DayOfYear + 6 - (int)time.DayOfWeek) / 7:00}",
        'V' => $"{ISOWeek.GetWeekOfYear(time.DateTime):00}",
        'w' => $"{(int)time.DayOfWeek}",
        'W' => $"{(time.DayOfYear + 6 - (((int)time.DayOfWeek + 6) % 7)) / 7:00}",
        'y' => Text(time, "yy"),
        'Y' => $"{time.Year}",
        'z' => Zone(time),
        'Z' => time.Offset == TimeSpan.Zero ? "UTC" : Zone(time),
        _ => throw new ArgumentOutOfRangeException(nameof(letter)),
    };

    private static long Nanoseconds(DateTimeOffset time) => time.Ticks % TimeSpan.TicksPerSecond * TimeSpan.NanosecondsPerTick;

    private static string Text(DateTimeOffset time, string format) => time.ToString(format, CultureInfo.InvariantCulture);

    private static string Zone(DateTimeOffset time) =>
        $"{(time.Offset < TimeSpan.Zero ? '-' : '+')}{time.Offset.Duration().ToString("hhmm", CultureInfo.InvariantCulture)}";
}
