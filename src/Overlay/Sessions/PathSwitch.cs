using EdgeFirmware.Overlay.Paths;

namespace EdgeFirmware.Overlay.Sessions;

/// <summary>Another path is used from now on.</summary>
/// <param name="To"><c>null</c>: none leads there now.</param>
internal sealed record PathSwitch(PathKey? From, string? FromLink, PathKey? To, string? ToLink, string Why);
