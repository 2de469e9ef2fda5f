namespace EdgeFirmware.Platform.Engine;

/// <summary>Which engine answers, and the API version to speak with it.</summary>
/// <param name="Prefix">First path segment of every request, <c>v1.41</c>.</param>
internal sealed record EngineApi(string Prefix, bool IsPodman, string Version, string Architecture)
{
    /// <summary>The version these adapters were written against: Debian 12's Docker 20.10 and every Podman 4 have it.</summary>
    private const int PreferredMinor = 41;

    public string Name => IsPodman ? "Podman" : "Docker";

    /// <summary>Down to what an old engine has, up to what a new one still accepts (Docker 29 dropped everything below 1.44).</summary>
    public static EngineApi Choose(VersionAnswer said)
    {
        var minor = PreferredMinor;
        if (Minor(said.ApiVersion) is { } newest)
            minor = Math.Min(minor, newest);
        if (Minor(said.MinApiVersion) is { } oldest)
            minor = Math.Max(minor, oldest);
        var podman = said.Components?.Exists(part => part.Name == "Podman Engine") == true;
        return new EngineApi($"v1.{minor}", podman, said.Version ?? "", said.Arch ?? "");
    }

    private static int? Minor(string? version) =>
        version is not null && version.StartsWith("1.", StringComparison.Ordinal) && int.TryParse(version.AsSpan(2), out var minor) ? minor : null;
}
