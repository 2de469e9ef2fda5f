using EdgeFirmware.Contracts.Resources;

namespace EdgeFirmware.Simulation.Traces;

/// <summary>One second of a node's life, as its probe reads it.</summary>
/// <param name="SecondOfDay"><c>null</c> while the clock is not trusted.</param>
/// <param name="CopyEnded">Number of the workload of which a copy ended; <c>null</c> when none did.</param>
/// <param name="Foreseeable">An overload that begins now was announced: by a rise of at least a minute, or by the same time of at least two days before.
/// Decided by whoever makes the trace, from what causes the overload, and before anything forecasts it.</param>
/// <param name="Fails">The machine fails now.</param>
public readonly record struct TraceStep(
    ResourceReading Reading, HealthReading Health, int? SecondOfDay, int? CopyEnded, bool Foreseeable, bool Fails);

/// <param name="Kind">What it shows: <c>ramp</c>, <c>leak</c>, …</param>
/// <param name="Fails">It is about failure of the machine, not about overload.</param>
public sealed record Trace(string Kind, string Name, bool Fails, bool Recorded, IEnumerable<TraceStep> Steps);
