using EdgeFirmware.Lab.Sites;
using EdgeFirmware.Lab.Streams;

namespace EdgeFirmware.Lab.Demo;

/// <param name="First">Number of the first message of the step.</param>
/// <param name="Next">Number of the first message after it.</param>
/// <param name="Moves">In the order they happened.</param>
/// <param name="MostAlive">The most copies of the workload that lived at one sampled instant of the step.</param>
/// <param name="DetectedSeconds">From the kill to the event that says so; 0 in other steps.</param>
/// <param name="ResumedSeconds">From that event to the next result; 0 in other steps.</param>
public sealed record StepReport(
    string Title, long First, long Next, IReadOnlyList<MoveView> Moves, int MostAlive, double DetectedSeconds = 0, double ResumedSeconds = 0)
{
    /// <summary>Filled in when all results are there.</summary>
    public Account? Account { get; init; }
}

/// <param name="Failures">Expectations that did not hold, in words; empty when all did.</param>
public sealed record DemoReport(IReadOnlyList<StepReport> Steps, Account Total, IReadOnlyList<string> Failures);
