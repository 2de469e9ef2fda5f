using EdgeFirmware.Contracts.Resources;

namespace EdgeFirmware.Simulation.Traces;

/// <summary>Machines that fail, and machines that only show some of the same signs.</summary>
internal static class FailureTraces
{
    private const int Minute = 60;
    private const int Hour = 3600;

    public static Trace Make(string kind, int seed)
    {
        var random = new Random(TraceGenerator.HashCode(kind, seed));
        var steps = kind switch
        {
            "heat" => Heat(random, fails: true),
            "heat-warm" => Heat(random, fails: false),
            "dying-sd" => Storage(random, dies: true),
            "sd-hiccups" => Storage(random, dies: false),
            "under-voltage" => UnderVoltage(random, fails: true),
            "under-voltage-dips" => UnderVoltage(random, fails: false),
            "oom-thrash" => OomKills(random, fails: true),
            "oom-once" => OomKills(random, fails: false),
            _ => RestartsAndClock(random),
        };
        return new Trace(kind, $"{kind}-{seed}", true, false, steps);
    }

    /// <summary>A fan stops, or the sun comes: the temperature approaches another balance, beyond what the driver allows or 8 °C and more below.</summary>
    private static IEnumerable<TraceStep> Heat(Random random, bool fails)
    {
        const double critical = 85;
        var cool = TraceGenerator.Between(random, 45, 60);
        var warm = fails ? TraceGenerator.Between(random, 92, 115) : TraceGenerator.Between(random, 62, 77);
        var inertia = TraceGenerator.Between(random, 6 * Minute, 25 * Minute);
        var begin = (int)TraceGenerator.Between(random, 15 * Minute, Hour);
        var noise = new TraceGenerator.Noise(random, 0.4, 0.9);
        var celsius = cool;
        for (var t = 0; t < begin + (3 * Hour); t++)
        {
            // With fans and governors, the balance wanders.
            var balance = (t < begin ? cool : warm) + (fails ? 0 : 3 * Math.Sin(t / 900.0));
            celsius += (balance - celsius) / inertia;
            var failsNow = fails && celsius >= critical;
            yield return Step(default(HealthReading) with { Celsius = celsius + noise.Next(), CriticalCelsius = critical, StorageMilliseconds = Write(random) }, failsNow);
            if (failsNow)
                yield break;
        }
    }

    /// <summary>A card that dies: errors one an hour at first, then ever more often, and writes that take seconds. One that does not: an error or two a day, a slow
    /// write now and then.</summary>
    private static IEnumerable<TraceStep> Storage(Random random, bool dies)
    {
        var begin = (int)TraceGenerator.Between(random, 2 * Hour, 5 * Hour);
        var dying = (int)TraceGenerator.Between(random, Hour, 5 * Hour);
        var life = dies ? TraceGenerator.Between(random, 0.5, 1.0) : TraceGenerator.Between(random, 0.1, 0.75);
        var (errors, written) = (0L, 0L);
        for (var t = 0; t < (dies ? begin + dying : 12 * Hour); t++)
        {
            var done = Math.Max(0, (t - begin) / (double)dying);
            var chance = !dies ? 1.0 / (10 * Hour) : t < begin ? 0 : Math.Pow(60, done) / Hour;
            errors += random.NextDouble() < chance ? random.Next(1, 3) : 0;
            var slow = random.NextDouble() < (dies && t >= begin ? 0.002 * Math.Pow(20, done) : 0.0005);
            written += 100_000;
            yield return Step(
                default(HealthReading) with
                {
                    Celsius = 50, CriticalCelsius = 85, StorageErrors = errors, StorageBytesWritten = written, StorageLifeUsed = life,
                    StorageMilliseconds = slow ? TraceGenerator.Between(random, 300, 3000) : Write(random),
                },
                dies && t == begin + dying - 1);
        }
    }

    /// <summary>A supply that gives way: dips of seconds every ten minutes, then every one, then the board resets. One that is only weak: a dip every hour or so.</summary>
    private static IEnumerable<TraceStep> UnderVoltage(Random random, bool fails)
    {
        var begin = (int)TraceGenerator.Between(random, Hour, 2 * Hour);
        var dying = (int)TraceGenerator.Between(random, 20 * Minute, 90 * Minute);
        var until = 0;
        for (var t = 0; t < (fails ? begin + dying : 6 * Hour); t++)
        {
            var done = Math.Max(0, (t - begin) / (double)dying);
            var chance = fails && t >= begin ? 1 / (600 * Math.Pow(0.05, done)) : 1.0 / (90 * Minute);
            if (random.NextDouble() < chance)
                until = t + random.Next(2, 9);
            yield return Step(
                default(HealthReading) with { Celsius = 50, CriticalCelsius = 85, UnderVoltage = t < until, StorageMilliseconds = Write(random) },
                fails && t == begin + dying - 1);
        }
    }

    /// <summary>The kernel kills one process after the other until the watchdog resets the board; or it kills one, and that was it.</summary>
    private static IEnumerable<TraceStep> OomKills(Random random, bool fails)
    {
        var begin = (int)TraceGenerator.Between(random, 30 * Minute, 2 * Hour);
        var dying = (int)TraceGenerator.Between(random, 10 * Minute, 40 * Minute);
        var (kills, next) = (0L, begin);
        for (var t = 0; t < (fails ? begin + dying : 6 * Hour); t++)
        {
            int? ended = null;
            if (t == next)
            {
                (kills, ended) = (kills + 1, random.Next(3));
                next = fails ? t + (int)(TraceGenerator.Between(random, 60, 240) * Math.Max(0.2, 1 - ((t - begin) / (double)dying))) : t + random.Next(4 * Hour, 8 * Hour);
            }
            yield return Step(
                default(HealthReading) with { Celsius = 50, CriticalCelsius = 85, OomKills = kills, StorageMilliseconds = Write(random) },
                fails && t == begin + dying - 1, ended);
        }
    }

    /// <summary>What belongs to life: the clock is set once at start, a workload ends four times in a row and is mended.</summary>
    private static IEnumerable<TraceStep> RestartsAndClock(Random random)
    {
        var clock = random.Next(5, 200);
        var begin = random.Next(Hour, 2 * Hour);
        for (var t = 0; t < 4 * Hour; t++)
            yield return Step(
                default(HealthReading) with { Celsius = 50, CriticalCelsius = 85, ClockSteps = t >= clock ? 1 : 0, StorageMilliseconds = Write(random) }, false,
                t >= begin && t < begin + 120 && (t - begin) % 30 == 0 ? 1 : null);
    }

    private static TraceStep Step(HealthReading health, bool fails, int? ended = null) =>
        new(TraceGenerator.Reading(0.4, 0.5), health, null, ended, false, fails);

    private static double Write(Random random) => 3 + (4 * random.NextDouble());
}
