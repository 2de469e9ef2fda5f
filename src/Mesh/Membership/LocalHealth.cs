namespace EdgeFirmware.Mesh.Membership;

/// <summary>How far this node trusts its own ears: Lifeguard's local health multiplier (section IV.A). A node that is slow itself sees others silent;
/// it gives them more time instead of accusing them.</summary>
internal sealed class LocalHealth
{
    /// <summary>Lifeguard's S: nine times the ordinary timeout at worst.</summary>
    private const int Worst = 8;

    public int Score { get; private set; }

    public TimeSpan Scale(TimeSpan timeout) => timeout * (Score + 1);

    public void Worse(int by = 1) => Score = Math.Min(Worst, Score + by);

    public void Better() => Score = Math.Max(0, Score - 1);
}
