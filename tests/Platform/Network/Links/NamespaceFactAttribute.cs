namespace EdgeFirmware.Platform.Tests.Network.Links;

/// <summary>A test that needs network namespaces and pairs of interfaces.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NamespaceFactAttribute : FactAttribute
{
    private static readonly string? WhyNot = Try();

    public NamespaceFactAttribute() => Skip = WhyNot;

    private static string? Try()
    {
        using var made = NodeNamespace.TryCreate();
        return made is null ? "new network namespaces are not allowed here" : null;
    }
}
