using EdgeFirmware.Contracts.Links;

namespace EdgeFirmware.Overlay.Paths;

/// <summary>How a path of one kind is treated.</summary>
/// <param name="AckDelay">How long an acknowledgement waits for something to go with.</param>
/// <param name="AckEvery">Chunks after which it waits no longer.</param>
/// <param name="WindowMin">Bytes under way that no loss takes away.</param>
/// <param name="AirBytesPerSecond">On the radio, headers included; <c>null</c> where the network does the pacing.</param>
internal sealed record PathPace(TimeSpan AckDelay, int AckEvery, int WindowMin, int? AirBytesPerSecond)
{
    private static readonly PathPace Wired = new(TimeSpan.FromMilliseconds(20), 16, 16 << 10, null);

    /// <summary>250 kbit/s (IEEE 802.15.4, 2.4 GHz) less a tenth: what is paced here does not queue in the driver, where nothing can pass it.</summary>
    private static readonly PathPace Radio = new(TimeSpan.FromMilliseconds(100), 16, 4 << 10, 250_000 / 8 * 9 / 10);

    public static PathPace Of(LinkKind kind) => kind == LinkKind.SixLowpan ? Radio : Wired;
}
