namespace EdgeFirmware.Overlay.Links;

/// <summary>Round-trip time and its variation, smoothed as TCP does (RFC 6298, section 2). The prober leaves out what answers a repeated SYN (section 3).</summary>
internal sealed class RoundTripEstimate
{
    /// <summary>Below it a busy board is slower than its link.</summary>
    public static readonly TimeSpan PatienceMin = TimeSpan.FromMilliseconds(250);

    /// <summary>Before anything is known: RFC 6298, section 2.1.</summary>
    public static readonly TimeSpan PatienceFirst = TimeSpan.FromSeconds(1);

    /// <summary>Nobody waits longer for an answer over a link that he could leave.</summary>
    public static readonly TimeSpan PatienceMax = TimeSpan.FromSeconds(3);

    /// <summary>SRTT; <c>null</c> before the first sample.</summary>
    public TimeSpan? Smoothed { get; private set; }

    /// <summary>RTTVAR.</summary>
    public TimeSpan? Variation { get; private set; }

    public void Add(TimeSpan sample)
    {
        if (Smoothed is { } smoothed && Variation is { } variation)
        {
            Variation = variation * 0.75 + (smoothed - sample).Duration() * 0.25;
            Smoothed = smoothed * 0.875 + sample * 0.125;
            return;
        }
        Smoothed = sample;
        Variation = sample / 2;
    }

    /// <summary>Another way: what was measured says nothing any more.</summary>
    public void Forget() => Smoothed = Variation = null;

    /// <summary>How long to wait for an answer: the retransmission timeout (section 2.3), half as much again for each answer missed in a row, so that a
    /// link which has become slow is not taken for dead.</summary>
    public TimeSpan Patience(int missed)
    {
        var once = Smoothed + Variation * 4 ?? PatienceFirst;
        var patience = (once < PatienceMin ? PatienceMin : once) * Math.Pow(1.5, Math.Min(missed, 3));
        return patience < PatienceMax ? patience : PatienceMax;
    }
}
