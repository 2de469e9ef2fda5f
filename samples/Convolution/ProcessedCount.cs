using System.Globalization;

namespace EdgeFirmware.Samples.Convolution;

/// <summary>How many messages this workload has processed in its life, kept in a volume so that it survives a move. Without the volume
/// it counts from zero at every start.</summary>
public sealed class ProcessedCount
{
    private readonly string? _file;

    private ProcessedCount(string? file, long value)
    {
        _file = file;
        Value = value;
    }

    public long Value { get; private set; }

    public static ProcessedCount In(string directory)
    {
        if (!Directory.Exists(directory))
            return new ProcessedCount(null, 0);
        var file = Path.Combine(directory, "processed");
        var known = File.Exists(file) && long.TryParse(File.ReadAllText(file), CultureInfo.InvariantCulture, out var value) ? value : 0;
        return new ProcessedCount(file, known);
    }

    public void Increment()
    {
        Value++;
        if (_file is null)
            return;
        // Renamed into place: whoever copies the volume at any moment copies a whole number.
        var next = _file + ".next";
        File.WriteAllText(next, Value.ToString(CultureInfo.InvariantCulture));
        File.Move(next, _file, overwrite: true);
    }
}
