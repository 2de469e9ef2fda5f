namespace EdgeFirmware.Lab.Os;

/// <summary>Waits for a condition of the real world, with a bound. The only place in the lab where time passes without an event.</summary>
public static class Until
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <exception cref="TimeoutException">Says what was awaited and, when given, what was found instead.</exception>
    public static async Task TrueAsync(
        Func<ValueTask<bool>> condition, TimeSpan within, string what, CancellationToken cancel = default, Func<string>? found = null)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            if (TimeProvider.System.GetElapsedTime(start) > within)
                throw new TimeoutException($"not within {within.TotalSeconds:0.#} s: {what}{(found is null ? "" : $" (found: {found()})")}");
            await Task.Delay(Pause, TimeProvider.System, cancel);
        }
    }

    public static Task TrueAsync(
        Func<bool> condition, TimeSpan within, string what, CancellationToken cancel = default, Func<string>? found = null) =>
        TrueAsync(() => ValueTask.FromResult(condition()), within, what, cancel, found);
}
