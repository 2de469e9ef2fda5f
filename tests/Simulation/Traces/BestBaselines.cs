namespace EdgeFirmware.Simulation.Traces;

/// <summary>The baselines with the settings that did best on the tuning seeds, out of <see cref="Grid"/>.</summary>
public static class BestBaselines
{
    public static IWarner Threshold(bool failure) => failure ? new StaticThreshold(2, 80, 4) : new StaticThreshold(0.9, 200, int.MaxValue / 20);

    public static IWarner Slope(bool failure) => failure ? new LastSlope(300, 300, overloads: false) : new LastSlope(120, 120, overloads: true);

    public static IEnumerable<(string Setting, Func<IWarner> Make)> Grid(bool failure)
    {
        if (failure)
        {
            foreach (var celsius in new[] { 70.0, 75, 80, 83 })
                foreach (var errors in new[] { 1, 2, 4, 8 })
                    yield return ($"threshold {celsius} °C, {errors} errors", () => new StaticThreshold(2, celsius, errors));
            foreach (var window in new[] { 60, 300, 900 })
                foreach (var ahead in new[] { 120, 300, 600, 1200 })
                    yield return ($"slope over {window} s, {ahead} s ahead", () => new LastSlope(window, ahead, overloads: false));
            yield break;
        }
        foreach (var level in new[] { 0.7, 0.75, 0.8, 0.85, 0.88, 0.9 })
            yield return ($"threshold {level}", () => new StaticThreshold(level, 200, int.MaxValue / 20));
        foreach (var window in new[] { 30, 60, 120, 300 })
            foreach (var ahead in new[] { 60, 120, 300, 600 })
                yield return ($"slope over {window} s, {ahead} s ahead", () => new LastSlope(window, ahead, overloads: true));
    }
}
