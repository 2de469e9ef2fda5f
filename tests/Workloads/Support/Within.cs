namespace EdgeFirmware.Workloads.Tests.Support;

/// <summary>Waits for what must come; a test that hangs says where.</summary>
internal static class Within
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public static Task<T> Patiently<T>(this Task<T> task) => task.WaitAsync(Patience);

    public static Task Patiently(this Task task) => task.WaitAsync(Patience);

    /// <summary>Looks until it is so.</summary>
    public static async Task UntilAsync(Func<bool> isSo, Func<string>? orElse = null)
    {
        var deadline = DateTime.UtcNow + Patience;
        while (!isSo())
        {
            if (DateTime.UtcNow > deadline)
                Assert.Fail($"it did not come to pass in {Patience.TotalSeconds} s{(orElse is null ? "" : ": " + orElse())}");
            await Task.Delay(1);
        }
    }
}
