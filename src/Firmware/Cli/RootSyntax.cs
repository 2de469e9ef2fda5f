using System.CommandLine;

namespace EdgeFirmware.Firmware.Cli;

/// <summary>
/// What <see cref="CommandLine"/> leaves to the general parser: all commands, of which <c>pub</c> and <c>sub</c> only have their place in the help.
/// </summary>
internal static class RootSyntax
{
    /// <param name="input">Standard input.</param>
    public static RootCommand Create(Stream input) => new("Edge firmware: an MQTT broker, a mesh of nodes, and containers that move between them.")
    {
        RunCommand.Create(),
        SiteCommands.Status(),
        SiteCommands.Peers(),
        ForecastCommand.Create(),
        LinksCommand.Create(),
        OverlayCommands.Paths(),
        OverlayCommands.Reach(),
        SiteCommands.Bridges(),
        SiteCommands.Workloads(),
        WorkloadCommands.Deploy(),
        WorkloadCommands.Migrate(),
        WorkloadCommands.Logs(),
        WorkloadCommands.Remove(),
        PlacementCommands.Why(),
        PlacementCommands.Drain(),
        PlacementCommands.Undrain(),
        ClientCommands.Create(),
        UserCommands.Create(input),
        TenantCommands.Create(),
        TenantCommands.Logins(),
        AuthorityCommands.Create(),
        new Command("pub", "Publish, with the flags of mosquitto_pub."),
        new Command("sub", "Print messages, with the flags of mosquitto_sub."),
        SiteCommands.Version(),
    };
}
