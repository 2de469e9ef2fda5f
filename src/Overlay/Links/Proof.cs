using EdgeFirmware.Contracts;

namespace EdgeFirmware.Overlay.Links;

/// <summary>Whether somebody is reached, believed with hysteresis: lost only after as many misses as <see cref="LossWindow"/> wants, regained only after
/// answers in a row, and after more of them each time it was lost again soon.</summary>
internal sealed class Proof
{
    /// <summary>Answers in a row after the first loss.</summary>
    private const int AnswersMin = 2;

    /// <summary>Doublings of <see cref="AnswersMin"/>.</summary>
    private const int LossesMax = 4;

    /// <summary>A loss is forgotten when the proof has held so long.</summary>
    private static readonly TimeSpan Forgiving = TimeSpan.FromMinutes(2);

    private int _missed;
    private int _answered;
    private int _losses;
    private Instant _calmSince;

    /// <summary><c>null</c>: not known yet.</summary>
    public bool? Holds { get; private set; }

    /// <summary>Nothing speaks against what is believed.</summary>
    public bool IsSure => Holds switch
    {
        true => _missed == 0,
        false => _answered == 0,
        _ => false,
    };

    public void Answered(Instant now)
    {
        _missed = 0;
        _answered++;
        if (Holds == true)
        {
            if (_losses > 0 && now - _calmSince >= Forgiving)
            {
                _losses--;
                _calmSince = now;
            }
            return;
        }
        if (Holds is null || _answered >= AnswersMin << Math.Min(_losses - 1, LossesMax))
        {
            Holds = true;
            _answered = 0;
            _calmSince = now;
        }
    }

    /// <param name="needed">Misses in a row that mean something.</param>
    public void Lost(int needed)
    {
        _answered = 0;
        _missed++;
        if (Holds == false || _missed < needed)
            return;
        if (Holds == true)
            _losses = Math.Min(_losses + 1, LossesMax + 1);
        Holds = false;
        _missed = 0;
    }

    /// <summary>The link is another one now; that it was unsteady is remembered.</summary>
    public void Forget()
    {
        Holds = null;
        (_missed, _answered) = (0, 0);
    }
}
