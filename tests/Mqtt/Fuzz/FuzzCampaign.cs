using System.Globalization;

namespace EdgeFirmware.Mqtt.Tests.Fuzz;

/// <summary>How much to try, and from where: a slice every day, more with <c>tests/fuzz.sh</c>.</summary>
internal static class FuzzCampaign
{
    /// <param name="usual">When nothing is asked for.</param>
    /// <param name="costs">How many packets one of them stands for.</param>
    public static int Count(int usual, int costs = 1) => Setting("EDGE_FUZZ_COUNT") / costs ?? usual;

    /// <summary>Replays one schedule.</summary>
    public static int? OnlySeed => Setting("EDGE_FUZZ_SEED");

    /// <summary>Of the first schedule.</summary>
    public static int FirstSeed => Setting("EDGE_FUZZ_FROM") ?? 1;

    /// <summary>Runs seeds until so many inputs were tried; a failure says how to see it again.</summary>
    /// <param name="run">Given a seed, says how many inputs that was.</param>
    public static int Run(string kind, int inputs, Func<int, int> run)
    {
        var done = 0;
        for (var seed = OnlySeed ?? FirstSeed; done < inputs; seed++)
        {
            try
            {
                done += run(seed);
            }
            catch (Exception failure)
            {
                var again = $"tests/fuzz.sh --only {kind} --seed {seed}";
                throw new InvalidOperationException($"{kind}, seed {seed}: {failure.Message}\nAgain: {again}", failure);
            }

            if (OnlySeed is not null) break;
        }

        return done;
    }

    private static int? Setting(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}
