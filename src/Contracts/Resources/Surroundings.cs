using EdgeFirmware.Contracts.Mesh;

namespace EdgeFirmware.Contracts.Resources;

/// <summary>What a node can reach others by, and what it can sense with. Changes when something is plugged in or a link fails.</summary>
/// <param name="Sensors">Classes of buses and sensors as the kernel names them (<c>gpio</c>, <c>i2c</c>, <c>iio</c>), then those with a name of
/// their own (<c>iio=bmp280</c>); each is a valid label.</param>
public sealed record Surroundings(LinkKinds Links, IReadOnlyList<string> Sensors)
{
    public static readonly Surroundings None = new(LinkKinds.None, []);
}
