using EdgeFirmware.Contracts.Mesh;

namespace EdgeFirmware.Mesh.Placement;

/// <summary>What a move takes, spread over the time the workload will then stay: as milliseconds more for each message.</summary>
/// <param name="Bytes">To send: image, configuration, volumes.</param>
/// <param name="Freeze">No copy running.</param>
/// <param name="Residence">How long it will stay. What has been somewhere long will be there long: at least as long as it has stayed.</param>
public sealed record MoveBurden(long Bytes, TimeSpan Freeze, TimeSpan Residence)
{
    /// <summary>An image when its size is not known: Debian or Alpine with an interpreter.</summary>
    public const long BytesAssumed = 50L << 20;

    /// <summary>Configuration alone: the image is there.</summary>
    public const long BytesWithoutImage = 64L << 10;

    /// <summary>Quiescing, activation and start as measured on three nodes with a real engine.</summary>
    public static readonly TimeSpan FreezeAssumed = TimeSpan.FromSeconds(1);

    public static readonly TimeSpan ResidenceMin = TimeSpan.FromMinutes(10);

    public static readonly TimeSpan ResidenceMax = TimeSpan.FromHours(24);

    /// <summary>While it is frozen, messages wait half of the freeze on average; while bytes go over the link, messages are taken to need twice
    /// their time. Each counts for the share of the residence it lasts.</summary>
    public double Milliseconds(double latencyMilliseconds, LinkKinds links)
    {
        var residence = Math.Max(Residence.TotalSeconds, 1);
        var freeze = Freeze.TotalSeconds;
        var transfer = Bytes / BytesPerSecond(links);
        return (freeze * freeze / (2 * residence) * 1000) + (latencyMilliseconds * transfer / residence);
    }

    /// <summary>Usual rates of the fastest link, payload: 100BASE-T, a weak 802.11n, LTE, BLE 2M, IEEE 802.15.4 at 250 kbit/s.</summary>
    private static double BytesPerSecond(LinkKinds links) =>
        (links & LinkKinds.Wired) != 0 ? 11e6
        : (links & LinkKinds.Wireless) != 0 ? 2.5e6
        : (links & LinkKinds.Wan) != 0 ? 0.6e6
        : (links & LinkKinds.Bluetooth) != 0 ? 80e3
        : (links & LinkKinds.LowPan) != 0 ? 12e3
        : 1.2e6; // not said: 10 Mbit/s
}
