namespace EdgeFirmware.Firmware.Cli.Messages;

/// <summary>A piece of a <see cref="MessageFormat"/>.</summary>
/// <param name="Kind">'%' or '@'; '\0' for literal text.</param>
/// <param name="Zero">Fill numbers with zeros.</param>
/// <param name="Left">Fill at the right end.</param>
/// <param name="Least">Width in bytes.</param>
/// <param name="Most">Width in characters.</param>
internal sealed record FormatPart(
    string Literal, char Kind = '\0', char Letter = '\0', bool Zero = false, bool Left = false, int Least = 0, int? Most = null);
