using EdgeFirmware.Contracts.Resources;

namespace EdgeFirmware.Simulation.Traces;

/// <summary>Made-up days of a 1 GB board, each from a seed. Half of the kinds never end in an overload, however much they look like it.</summary>
public static class TraceGenerator
{
    private const int Minute = 60;
    private const int Hour = 3600;
    private const int Day = 86400;

    /// <summary>Kinds about overload; those with a dash are quiet.</summary>
    public static readonly string[] OverloadKinds =
        ["ramp", "ramp-stops", "leak", "leak-sawtooth", "burst", "burst-spikes", "diurnal", "diurnal-job", "diurnal-quiet", "neighbour", "neighbour-leaves", "steady"];

    /// <summary>Kinds about the machine's failure.</summary>
    public static readonly string[] FailureKinds =
        ["heat", "heat-warm", "dying-sd", "sd-hiccups", "under-voltage", "under-voltage-dips", "oom-thrash", "oom-once", "restarts-and-clock"];

    public static IEnumerable<Trace> Overloads(int seed) => OverloadKinds.Select(kind => Overload(kind, seed));

    public static IEnumerable<Trace> Failures(int seed) => FailureKinds.Select(kind => FailureTraces.Make(kind, seed));

    public static Trace Overload(string kind, int seed)
    {
        var random = new Random(HashCode(kind, seed));
        var steps = kind switch
        {
            "ramp" => Ramp(random, stops: false),
            "ramp-stops" => Ramp(random, stops: true),
            "leak" => Leak(random),
            "leak-sawtooth" => Sawtooth(random),
            "burst" => Burst(random, spikes: false),
            "burst-spikes" => Burst(random, spikes: true),
            "diurnal" => Diurnal(random, top: 1.08, job: false),
            "diurnal-job" => Diurnal(random, top: 0.62, job: true),
            "diurnal-quiet" => Diurnal(random, top: 0.74, job: false),
            "neighbour" => Neighbour(random, leaves: false),
            "neighbour-leaves" => Neighbour(random, leaves: true),
            _ => Steady(random),
        };
        return new Trace(kind, $"{kind}-{seed}", false, false, steps);
    }

    /// <summary>Six times, load grows over 2.5 to 15 minutes until nothing is left; two of them, or all, stop below.</summary>
    private static IEnumerable<TraceStep> Ramp(Random random, bool stops)
    {
        var noise = new Noise(random, Between(random, 0.01, 0.04), 0.6);
        var low = Between(random, 0.15, 0.5);
        for (var i = 0; i < 6; i++)
        {
            var high = stops || i is 1 or 4 ? Between(random, low + 0.15, 0.75) : Between(random, 1.0, 1.15);
            var begin = (int)Between(random, 6 * Minute, 20 * Minute);
            var rise = (int)Between(random, 2.5 * Minute, 15 * Minute);
            var hold = (int)Between(random, 2 * Minute, 15 * Minute);
            for (var t = 0; t < begin + rise + hold + (10 * Minute); t++)
            {
                var done = Math.Clamp((t - begin) / (double)rise, 0, 1);
                var load = t > begin + rise + hold ? low : low + ((high - low) * done);
                yield return Step(load + noise.Next(), 0.4, random, foreseeable: true);
            }
        }
    }

    /// <summary>Four times, memory grows over 12 minutes to 4 hours until nothing is left.</summary>
    private static IEnumerable<TraceStep> Leak(Random random)
    {
        var low = Between(random, 0.25, 0.55);
        var tooth = Between(random, 0, 0.03);
        var period = (int)Between(random, 20, 200);
        var noise = new Noise(random, Between(random, 0.001, 0.006), 0.9);
        for (var i = 0; i < 4; i++)
        {
            var begin = (int)Between(random, 10 * Minute, 30 * Minute);
            var rise = (int)(12 * Minute * Math.Pow(20, random.NextDouble()));
            for (var t = 0; t < begin + rise + (3 * Minute); t++)
            {
                var done = Math.Clamp((t - begin) / (double)rise, 0, 1);
                yield return Step(0.3 + (noise.Next() * 4), low + ((0.99 - low) * done) + (tooth * (t % period) / period) + noise.Next(), random, foreseeable: true);
            }
            for (var t = 0; t < 10 * Minute; t++)
                yield return Step(0.3, low + noise.Next(), random);
        }
    }

    /// <summary>A collector that lets memory grow and takes it back, over and over, to 60-85 %.</summary>
    private static IEnumerable<TraceStep> Sawtooth(Random random)
    {
        var low = Between(random, 0.3, 0.45);
        var high = Between(random, 0.6, 0.85);
        var period = Between(random, 3 * Minute, 40 * Minute);
        var noise = new Noise(random, 0.004, 0.9);
        var (at, length) = (0, period);
        for (var t = 0; t < 4 * Hour; t++)
        {
            if (++at >= length)
                (at, length) = (0, period * Between(random, 0.85, 1.1));
            yield return Step(0.35, low + ((high - low) * at / period) + noise.Next(), random);
        }
    }

    /// <summary>Jumps to full load within seconds: for 20-90 s, which nothing announces, or for less than counts.</summary>
    private static IEnumerable<TraceStep> Burst(Random random, bool spikes)
    {
        var low = Between(random, 0.15, 0.55);
        var noise = new Noise(random, 0.03, 0.6);
        var (next, until) = ((int)Between(random, 10 * Minute, 20 * Minute), 0);
        for (var t = 0; t < Hour; t++)
        {
            if (t == next)
            {
                until = t + (spikes ? random.Next(1, 4) : random.Next(20, 90));
                next = t + (spikes ? random.Next(10, 200) : random.Next(12 * Minute, 20 * Minute));
            }
            yield return Step(t < until ? 1 : low + noise.Next(), 0.4, random);
        }
    }

    /// <summary>A week of days: a smooth curve, and for the job a load that comes at the same time every day within 20 s and lasts for a quarter of
    /// an hour. The curve's overload is foreseeable always, the job's from the third day on.</summary>
    private static IEnumerable<TraceStep> Diurnal(Random random, double top, bool job)
    {
        var low = Between(random, 0.1, 0.25);
        var noon = random.Next(8, 18) * Hour;
        var jobAt = (random.Next(24) * Hour) + random.Next(0, Hour);
        var jobLength = random.Next(8, 25) * Minute;
        var noise = new Noise(random, Between(random, 0.01, 0.03), 0.8);
        var peak = top * Between(random, 0.97, 1.03);
        for (var day = 0; day < 7; day++)
        {
            var today = peak * Between(random, 0.97, 1.03);
            var start = jobAt + random.Next(-20, 21);
            for (var t = 0; t < Day; t++)
            {
                var curve = low + ((today - low) * Math.Pow(0.5 + (0.5 * Math.Cos((t - noon) * 2 * Math.PI / Day)), 1.5));
                var working = job && t >= start && t < start + jobLength;
                yield return Step((working ? 1 : curve) + noise.Next(), 0.4, random, foreseeable: !job || day >= 2, secondOfDay: t);
            }
        }
    }

    /// <summary>Somebody else's load beside ours, four times: steps of 3-9 % every 15-45 s until nothing is left, or until it leaves again.</summary>
    private static IEnumerable<TraceStep> Neighbour(Random random, bool leaves)
    {
        var own = Between(random, 0.2, 0.4);
        var noise = new Noise(random, Between(random, 0.01, 0.035), 0.7);
        for (var i = 0; i < 4; i++)
        {
            var most = leaves ? Between(random, 0.55, 0.74) : 1.05;
            var quiet = (int)Between(random, 8 * Minute, 15 * Minute);
            var stay = random.Next(4 * Minute, 8 * Minute);
            var (load, next) = (own, quiet);
            for (var t = 0; t < next || load < most; t++)
            {
                if (t == next)
                {
                    load = Math.Min(load + Between(random, 0.03, 0.09), most);
                    next = t + (load < most ? random.Next(15, 45) : stay);
                }
                yield return Step(load + noise.Next(), 0.45, random, foreseeable: true);
            }
            for (var t = 0; t < 8 * Minute; t++)
                yield return Step(own + noise.Next(), 0.45, random);
        }
    }

    private static IEnumerable<TraceStep> Steady(Random random)
    {
        var level = Between(random, 0.4, 0.68);
        var memory = Between(random, 0.4, 0.8);
        var noise = new Noise(random, Between(random, 0.03, 0.06), Between(random, 0.5, 0.97));
        for (var t = 0; t < 3 * Hour; t++)
        {
            if (random.Next(15 * Minute) == 0)
                (level, memory) = (Between(random, 0.4, 0.68), Between(random, 0.4, 0.8)); // something was started or stopped
            yield return Step(level + noise.Next(), memory + (noise.Next() / 10), random);
        }
    }

    private static TraceStep Step(double load, double used, Random random, bool foreseeable = false, int? secondOfDay = null) => new(
        Reading(load, used), default(HealthReading) with { Celsius = 52 + random.NextDouble(), CriticalCelsius = 85, StorageMilliseconds = 4 + random.NextDouble() },
        secondOfDay, null, foreseeable, false);

    internal static ResourceReading Reading(double load, double used)
    {
        load = Math.Clamp(load, 0, 1);
        return new ResourceReading(
            4, load, Math.Max(0, load - 0.6), 1L << 30, (long)((1 - Math.Clamp(used, 0, 0.995)) * (1L << 30)), 0, 16L << 30, 8L << 30);
    }

    internal static double Between(Random random, double low, double high) => low + ((high - low) * random.NextDouble());

    /// <summary>The same everywhere: string hashes of the runtime are not.</summary>
    internal static int HashCode(string kind, int seed)
    {
        var hash = 2166136261u;
        foreach (var c in kind)
            hash = (hash ^ c) * 16777619;
        return (int)((hash ^ (uint)(seed * 7919)) & int.MaxValue);
    }

    /// <summary>Normal noise in which each value resembles the one before.</summary>
    internal sealed class Noise(Random random, double deviation, double likeness)
    {
        private double _last;

        public double Next()
        {
            var normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
            return _last = (likeness * _last) + (deviation * Math.Sqrt(1 - (likeness * likeness)) * normal);
        }
    }
}
