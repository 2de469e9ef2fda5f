namespace EdgeFirmware.Firmware.Configuration;

/// <summary>The configuration cannot be used; holds every fault that was found.</summary>
internal sealed class ConfigurationException(IReadOnlyList<string> faults) : Exception(string.Join(Environment.NewLine, faults))
{
    public IReadOnlyList<string> Faults { get; } = faults;
}
