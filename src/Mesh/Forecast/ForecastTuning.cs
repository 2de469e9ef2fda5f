namespace EdgeFirmware.Mesh.Forecast;

/// <summary>Numbers that were chosen on the tuning seeds of <c>bench/forecast</c>, never on those that are reported.</summary>
internal static class ForecastTuning
{
    /// <summary>Standard errors that a slope must be away from 0 to be a trend.</summary>
    public const double Significance = 5;

    /// <summary>The same with fewer than twelve values, whose noise is less well known.</summary>
    public const double ShortSignificance = 7;

    /// <summary>Values of ten seconds before anything is said.</summary>
    public const int FirstWindow = 9;

    /// <summary>Deviations that a line may be off the last half minute; beyond, it has bent.</summary>
    public const double Agreement = 2.5;

    /// <summary>Standard errors by which a slope is taken less steep before anybody is warned.</summary>
    public const double Caution = 0.5;

    /// <summary>Seconds ahead that overload is warned of: long enough for a migration, short enough that a rise that stops is rarely followed too far.</summary>
    public const double WarningSeconds = 150;

    /// <summary>Expected ten-second spells of overload within that time that begin a warning, and that keep it up.</summary>
    public const double Begin = 0.8;

    public const double Keep = 0.4;

    /// <summary>How far beyond the limit the usual noise must get to begin a warning.</summary>
    public const double BeginClose = 0.006;

    /// <summary>How far below the limit the usual noise may stay while a warning is kept up.</summary>
    public const double KeepClose = 0.01;

    /// <summary>Above this, what exceeds a level is no noise but a shape of its own.</summary>
    public const double NoiseMax = 0.08;

    /// <summary>Seconds of the time of day that a warning looks ahead.</summary>
    public const double SeasonSeconds = 300;
}
