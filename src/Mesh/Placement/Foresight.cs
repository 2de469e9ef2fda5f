using EdgeFirmware.Contracts;

namespace EdgeFirmware.Mesh.Placement;

/// <summary>Decides when a node has foreseen its own failure long enough to give away what it has, and when the danger is over. Takes the instant.</summary>
internal sealed class Foresight(PlacementRules rules)
{
    private Instant? _since;

    /// <summary>It should give away what it has.</summary>
    public bool IsFailing { get; private set; }

    /// <param name="failure">Likelihood, 0-1.</param>
    /// <returns>Whether <see cref="IsFailing"/> has changed.</returns>
    public bool Observe(double failure, Instant now)
    {
        var turning = IsFailing ? failure < rules.FailureLow : failure >= rules.FailureHigh;
        if (!turning)
        {
            _since = null;
            return false;
        }
        _since ??= now;
        if (now - _since < (IsFailing ? rules.FailureOver : rules.FailureSustained))
            return false;
        _since = null;
        IsFailing = !IsFailing;
        return true;
    }
}
