using EdgeFirmware.Platform.Memory;

namespace EdgeFirmware.Platform.Tests.Memory;

public sealed class ProcessMemoryTests
{
    [Fact]
    public void The_process_runs_on_after_it_gave_its_text_back_and_maps_it_in_small_parts()
    {
        var memory = new ProcessMemory();
        ProcessMemory.GiveBackHeap();

        Assert.True(memory.GiveBackText() > 0);

        var text = File.ReadLines("/proc/self/maps")
            .Where(line => line.Contains(" r-xp ", StringComparison.Ordinal) && line.Contains("libc.so", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(text);
        Assert.All(text, line => Assert.InRange(LengthOf(line), 1, Math.Max(8192, Environment.SystemPageSize)));
        Assert.True(memory.GiveBackText() > 0); // and again, over the parts
    }

    private static long LengthOf(string line)
    {
        var range = line.Split(' ')[0].Split('-');
        return Convert.ToInt64(range[1], 16) - Convert.ToInt64(range[0], 16);
    }
}
