using System.Globalization;
using System.IO.Compression;
using EdgeFirmware.Contracts.Resources;

namespace EdgeFirmware.Simulation.Traces;

/// <summary>What <c>bench/forecast/record.py</c> wrote: a line that says what it is, a line of names, a line a second.</summary>
public static class RecordedTraces
{
    public static IReadOnlyList<Trace> Load(string directory)
    {
        var traces = new List<Trace>();
        foreach (var file in Directory.EnumerateFiles(directory, "*.csv.gz").Order(StringComparer.Ordinal))
        {
            var name = Path.GetFileName(file)[..^".csv.gz".Length];
            traces.Add(new Trace(name, name, Fails: false, Recorded: true, Read(file)));
        }
        return traces;
    }

    private static List<TraceStep> Read(string file)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(file), CompressionMode.Decompress));
        var foreseeable = reader.ReadLine()!.EndsWith("foreseeable=yes", StringComparison.Ordinal);
        reader.ReadLine();
        var steps = new List<TraceStep>();
        while (reader.ReadLine() is { } line)
        {
            var figures = Array.ConvertAll(line.Split(','), text => double.Parse(text, CultureInfo.InvariantCulture));
            var reading = new ResourceReading(
                figures[0], figures[1], figures[2], (long)figures[3] << 10, (long)figures[4] << 10, figures[5], (long)figures[6] << 20, (long)figures[7] << 20);
            steps.Add(new TraceStep(reading, default, null, null, foreseeable, false));
        }
        return steps;
    }
}
