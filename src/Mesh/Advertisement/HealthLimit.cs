using System.Globalization;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Contracts.Resources;

namespace EdgeFirmware.Mesh.Advertisement;

/// <summary>How far the machine's own troubles bound what it may take on: heat, supply, storage. A trouble counts at once and for a while after
/// it was last seen, so that a node whose supply sags now and then does not flap. Pure: takes the instant.</summary>
public sealed class HealthLimit
{
    /// <summary>A board under load is about as long under-voltage or hot again once it gets work again.</summary>
    public static readonly TimeSpan Held = TimeSpan.FromMinutes(1);

    /// <summary>So close to the driver's critical point there is no room for more work: boards throttle there already.</summary>
    public const double HeatMarginCelsius = 5;

    /// <summary>For a zone whose driver tells no critical point; common boards are specified to 85-105 °C.</summary>
    public const double CriticalCelsiusDefault = 95;

    private Instant _until;

    public CollaborationLevel Level { get; private set; } = CollaborationLevel.Everything;

    /// <summary>Empty when there is no limit.</summary>
    public string Why { get; private set; } = "";

    public void Observe(HealthReading health, Instant now)
    {
        var (level, why) = Judge(health);
        if (level > Level && now < _until)
            return;
        (Level, Why) = (level, why);
        if (level != CollaborationLevel.Everything)
            _until = now + Held;
    }

    private static (CollaborationLevel Level, string Why) Judge(HealthReading health)
    {
        if (health.StorageReadOnly)
            return (CollaborationLevel.Messaging, "the disk takes no writes");
        if (health.StorageLifeUsed >= 1)
            return (CollaborationLevel.Messaging, "the disk is worn out");
        if (health.UnderVoltage)
            return (CollaborationLevel.Storage, "supply voltage too low");
        if (health.Celsius is { } celsius && (health.CriticalCelsius ?? CriticalCelsiusDefault) is var critical && celsius >= critical - HeatMarginCelsius)
            return (CollaborationLevel.Storage, string.Create(CultureInfo.InvariantCulture, $"{celsius:0} °C, critical at {critical:0}"));
        return (CollaborationLevel.Everything, "");
    }
}
