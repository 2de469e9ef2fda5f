using EdgeFirmware.Overlay.Paths;

namespace EdgeFirmware.Overlay.Sessions;

/// <summary>Another path is used from now on.</summary>
/// <param name="To"><c>null</c>: none leads there now.</param>
/// <param name="HasStalled">Nothing was acknowledged over the one left, while another way led there.</param>
internal sealed record PathSwitch(PathKey? From, string? FromLink, PathKey? To, string? ToLink, string Why, bool HasStalled);
