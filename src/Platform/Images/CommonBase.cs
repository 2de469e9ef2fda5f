namespace EdgeFirmware.Platform.Images;

/// <summary>Which layers need not be sent. An engine knows a layer by its chain (its digest and all below it), so one may be left out only
/// when every layer below it is at the receiver too, in the same order, in one image.</summary>
public static class CommonBase
{
    /// <returns>The number of layers, from the base, that <paramref name="wanted"/> shares with the image of <paramref name="present"/> that
    /// shares most.</returns>
    public static int LayersPresent(IReadOnlyList<string> wanted, IEnumerable<IReadOnlyList<string>> present)
    {
        var most = 0;
        foreach (var image in present)
            most = Math.Max(most, Shared(wanted, image));
        return most;
    }

    private static int Shared(IReadOnlyList<string> wanted, IReadOnlyList<string> image)
    {
        var shared = 0;
        while (shared < wanted.Count && shared < image.Count && wanted[shared] == image[shared])
            shared++;
        return shared;
    }
}
