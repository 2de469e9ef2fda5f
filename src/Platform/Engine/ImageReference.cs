namespace EdgeFirmware.Platform.Engine;

/// <summary>The parts of <c>[registry/]repository[:tag][@digest]</c> that the engine's API wants separately.</summary>
internal readonly record struct ImageReference(string Repository, string? Tag, string? Digest)
{
    public static ImageReference Parse(string text)
    {
        var at = text.IndexOf('@', StringComparison.Ordinal);
        var digest = at < 0 ? null : text[(at + 1)..];
        var name = at < 0 ? text : text[..at];
        // A colon before the last slash belongs to the registry's port.
        var colon = name.LastIndexOf(':');
        return colon > name.LastIndexOf('/')
            ? new ImageReference(name[..colon], name[(colon + 1)..], digest)
            : new ImageReference(name, null, digest);
    }

    /// <summary>The short form in which Docker lists an image. Podman lists the same image under <c>docker.io/library/</c>, and images
    /// loaded from a tar under <c>localhost/</c>: without this, two nodes would disagree about what they hold.</summary>
    public static string Familiar(string reference, bool podman)
    {
        if (reference.StartsWith("docker.io/library/", StringComparison.Ordinal))
            return reference["docker.io/library/".Length..];
        if (reference.StartsWith("docker.io/", StringComparison.Ordinal))
            return reference["docker.io/".Length..];
        if (podman && reference.StartsWith("localhost/", StringComparison.Ordinal))
            return reference["localhost/".Length..];
        return reference;
    }
}
