using System.Reflection;

namespace EdgeFirmware.Firmware.Operations;

internal static class ProductVersion
{
    /// <summary>As the build stamped it.</summary>
    public static readonly string Text = typeof(ProductVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
}
