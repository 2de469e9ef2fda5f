using EdgeFirmware.Contracts;

namespace EdgeFirmware.Mesh.Placement;

/// <summary>How long a workload has been where it is, and how restless it has been: the time it must stay doubles with each recent move that
/// no user asked for, so that however loads swing, moves become rare. A move is forgotten after a few such times without another.</summary>
/// <param name="Since">When it came; <see cref="MovesBefore"/> is counted from then.</param>
/// <param name="MovesBefore">Recent moves when it came, the one that brought it included.</param>
/// <param name="ByUser">A user has put it here.</param>
public readonly record struct Tenure(Instant Since, int MovesBefore, bool ByUser)
{
    /// <summary>Of twenty seconds this makes three hours; more would leave an overloaded node alone for a day.</summary>
    public const int MovesMax = 10;

    private const int TimesToForget = 4;

    public TimeSpan Stayed(Instant now) => now - Since;

    /// <summary>Moves that still count.</summary>
    /// <param name="residence">What it must stay after a first move.</param>
    public int RecentMoves(TimeSpan residence, Instant now)
    {
        var moves = Math.Clamp(MovesBefore, 0, MovesMax);
        var left = Stayed(now);
        while (moves > 0 && left > TimesToForget * Residence(residence, moves))
        {
            left -= TimesToForget * Residence(residence, moves);
            moves--;
        }
        return moves;
    }

    public bool IsSettled(TimeSpan residence, Instant now) => Stayed(now) >= Residence(residence, RecentMoves(residence, now));

    /// <summary>The first move after a long rest costs the plain residence, the next ones twice as much each.</summary>
    private static TimeSpan Residence(TimeSpan first, int moves) => first * (1L << Math.Max(0, moves - 1));
}
