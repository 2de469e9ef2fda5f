namespace EdgeFirmware.Firmware.Cli.Messages;

/// <summary>Which of the two commands take a flag.</summary>
[Flags]
internal enum FlagUse
{
    Publish = 1,
    Subscribe = 2,
    Both = Publish | Subscribe,
}

/// <summary>One flag of <c>pub</c> and <c>sub</c>: its names, how many values follow it, and what it does.</summary>
/// <param name="Value">What the help calls the value; null: it takes none. <c>-D</c> takes more, see <see cref="FlagReader"/>.</param>
/// <param name="Apply">Throws a <see cref="FormatException"/> that explains a wrong value.</param>
internal sealed record Flag(FlagUse Use, string[] Names, string? Value, string Help, Action<MessageFlags, string> Apply)
{
    public bool Has(string name) => Array.IndexOf(Names, name) >= 0;
}
