namespace EdgeFirmware.Contracts;

/// <summary>A point on a node's monotonic clock, in microseconds from an arbitrary origin. Cores take it as an argument; it is never
/// sent to another node and never compared with one from another node or another run.</summary>
public readonly record struct Instant(long Microseconds) : IComparable<Instant>
{
    public static readonly Instant Never = new(long.MaxValue);

    public static Instant FromTimestamp(long timestamp, TimeProvider time) =>
        new((long)(timestamp * (1_000_000.0 / time.TimestampFrequency)));

    public static Instant Now(TimeProvider time) => FromTimestamp(time.GetTimestamp(), time);

    public static Instant Min(Instant a, Instant b) => a <= b ? a : b;

    public int CompareTo(Instant other) => Microseconds.CompareTo(other.Microseconds);

    public static Instant operator +(Instant at, TimeSpan span) => at == Never ? Never : new(at.Microseconds + (long)span.TotalMicroseconds);

    public static Instant operator -(Instant at, TimeSpan span) => at == Never ? Never : new(at.Microseconds - (long)span.TotalMicroseconds);

    public static TimeSpan operator -(Instant later, Instant earlier) => TimeSpan.FromMicroseconds(later.Microseconds - earlier.Microseconds);

    public static bool operator <(Instant a, Instant b) => a.Microseconds < b.Microseconds;

    public static bool operator >(Instant a, Instant b) => a.Microseconds > b.Microseconds;

    public static bool operator <=(Instant a, Instant b) => a.Microseconds <= b.Microseconds;

    public static bool operator >=(Instant a, Instant b) => a.Microseconds >= b.Microseconds;
}
