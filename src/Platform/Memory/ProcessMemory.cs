using System.Runtime.InteropServices;

namespace EdgeFirmware.Platform.Memory;

/// <summary>Gives back memory that only the start or a transfer needed: garbage, free C heap, and program text that is mapped because code ran
/// once.</summary>
/// <remarks>Not thread-safe.</remarks>
public sealed partial class ProcessMemory
{
    // asm-generic/mman-common.h; the same on all architectures we build for.
    private const int DontNeed = 4;
    private const int DontDump = 16;

    /// <summary>Bytes of one mapping of program text.</summary>
    private static readonly int Island = Math.Max(8192, Environment.SystemPageSize);

    private IReadOnlyList<TextMapping>? _text;

    /// <summary>Memory that the managed heap has of the system, as of the last collection.</summary>
    public static long HeapBytes => GC.GetGCMemoryInfo().TotalCommittedBytes;

    /// <summary>Garbage and free memory of both heaps. Stops the process for some milliseconds.</summary>
    public static void GiveBackHeap()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        _ = Trim(0); // whether anything could be given back does not matter
    }

    /// <summary>Pages of program text. They are clean copies of a file: what is needed again is mapped again, from the page cache unless memory is short.
    /// Takes about a millisecond and stops nothing.</summary>
    /// <returns>Bytes of mappings that were let go.</returns>
    public long GiveBackText()
    {
        _text ??= Divided(SharedText.Find(File.ReadAllText("/proc/self/smaps")));
        long bytes = 0;
        foreach (var mapping in _text)
            if (Advise((nint)mapping.Start, (nuint)mapping.Length, DontNeed) == 0)
                bytes += mapping.Length;
        return bytes;
    }

    /// <summary>Of program text, code that runs now and then lies in islands of a few pages. The kernel maps 64 KB around each page that is touched,
    /// but never beyond the end of a mapping: so text is divided into small ones, told apart by a flag that has no effect on text (it is in no
    /// core dump anyway).</summary>
    private static List<TextMapping> Divided(List<TextMapping> text)
    {
        foreach (var mapping in text)
            for (long at = Island; at < mapping.Length; at += 2 * Island)
                if (Advise((nint)(mapping.Start + at), (nuint)Math.Min(Island, mapping.Length - at), DontDump) != 0)
                    return text; // the limit on mappings is reached (vm.max_map_count): what there is serves
        return text;
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint length, int advice);

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int Trim(nuint pad);
}
