using System.Numerics;

namespace EdgeFirmware.Overlay.Links;

/// <summary>Which of the last 64 probes were lost.</summary>
internal sealed class LossWindow
{
    private const int Size = 64;

    /// <summary>The chance, for one silence, that a living link is taken for dead.</summary>
    private const double FalseAlarm = 1e-6;

    /// <summary>Less could be one burst on a radio channel.</summary>
    public const int SilenceMin = 3;

    /// <summary>More would take too long, whatever is usual.</summary>
    public const int SilenceMax = 8;

    /// <summary>Bit 0 is the last; set: lost. What happened while the link was not believed dead, but for a silence that has not ended yet.</summary>
    private ulong _usual;
    private int _usualCount;

    /// <summary>The same of all probes.</summary>
    private ulong _last;
    private int _lastCount;

    /// <summary>Lost in a row, up to now.</summary>
    public int Missed { get; private set; }

    /// <summary><c>null</c> before the first.</summary>
    public double? Ratio => _lastCount == 0 ? null : (double)BitOperations.PopCount(_last) / _lastCount;

    /// <param name="isAlive">The link was believed to lead there when it was asked: only then is a loss one that has to be expected again.</param>
    public void Add(bool isLost, bool isAlive)
    {
        Push(ref _last, ref _lastCount, isLost);
        if (isLost)
        {
            Missed++;
            return;
        }
        if (isAlive)
        {
            for (var i = Math.Min(Missed, Size); i > 0; i--)
                Push(ref _usual, ref _usualCount, true);
            Push(ref _usual, ref _usualCount, false);
        }
        Missed = 0;
    }

    public void Forget() => (_usual, _usualCount, _last, _lastCount, Missed) = (0, 0, 0, 0, 0);

    /// <summary>How many answers must be missed in a row before silence means something: the more is usually lost, the more. With p lost, n misses in a row
    /// come by chance with p^n.</summary>
    public int SilenceNeeded
    {
        get
        {
            // A little more than was seen: a short memory is no proof of a perfect link.
            var usual = (BitOperations.PopCount(_usual) + 0.015) / (_usualCount + 2);
            return Math.Clamp((int)Math.Ceiling(Math.Log(FalseAlarm) / Math.Log(usual)), SilenceMin, SilenceMax);
        }
    }

    private static void Push(ref ulong window, ref int count, bool isLost)
    {
        window = window << 1 | (isLost ? 1UL : 0UL);
        count = Math.Min(count + 1, Size);
    }
}
