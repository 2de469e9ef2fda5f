using EdgeFirmware.Contracts.Engine;

namespace EdgeFirmware.Platform.Tests.Engine;

internal static class Definitions
{
    public static readonly Dictionary<string, string> None = [];

    public static ContainerDefinition Of(RunningEngine engine, string name, string image, params string[] command) =>
        new(name, image, command, None, new Dictionary<string, string> { ["edge.test"] = name }, None, [], 0, 0, engine.CgroupParent);
}
