namespace EdgeFirmware.Mqtt.Tests.Support;

/// <summary>Waits for a signal, with a limit generous enough for a busy machine.</summary>
internal static class Within
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    public static Task<T> Reason<T>(Task<T> task) => task.WaitAsync(Limit);

    public static Task Reason(Task task) => task.WaitAsync(Limit);

    public static Task<T> Reason<T>(ValueTask<T> task) => task.AsTask().WaitAsync(Limit);

    /// <summary>For state without a signal: looks again and again until it holds.</summary>
    public static async Task Until(Func<bool> condition, string what)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (!condition())
        {
            if (limit.IsCancellationRequested) Assert.Fail($"Not within {Limit}: {what}");
            await Task.Delay(5);
        }
    }
}
