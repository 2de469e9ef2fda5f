namespace EdgeFirmware.Mqtt.Tests.Support;

/// <summary>Tests that measure the process, and so cannot share it with others.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "alone";
}
