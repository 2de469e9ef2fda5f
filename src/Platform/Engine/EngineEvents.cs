using EdgeFirmware.Contracts.Engine;

namespace EdgeFirmware.Platform.Engine;

/// <summary>One event for both engines. Podman says <c>died</c>, <c>remove</c> and <c>containerExitCode</c> where Docker says <c>die</c>,
/// <c>destroy</c> and <c>exitCode</c>; a watcher hears Docker's words.</summary>
internal static class EngineEvents
{
    public static EngineEvent? From(EventLine line)
    {
        if (line is not { Type: "container", Action: { } action, Actor.Id: { } container })
            return null;
        var attributes = line.Actor.Attributes ?? [];
        if (attributes.TryGetValue("containerExitCode", out var code))
            attributes.TryAdd("exitCode", code);
        return new EngineEvent(Named(action), container, attributes);
    }

    private static string Named(string action) => action switch
    {
        "died" => "die",
        "remove" => "destroy",
        _ => action,
    };
}
