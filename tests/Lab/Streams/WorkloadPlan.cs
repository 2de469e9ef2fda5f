using System.Text.Json.Nodes;

namespace EdgeFirmware.Lab.Streams;

/// <summary>A workload of the sample image with topics of its own.</summary>
public sealed record WorkloadPlan(string Name, string Image, string Input, string Output)
{
    public const string User = "demo";

    public string Id => $"{User}-{Name}";

    /// <summary>The papers' convolution, with its count in a volume that moves with it.</summary>
    public static WorkloadPlan Convolution(string name = "conv", string image = "convolution:1") =>
        new(name, image, name == "conv" ? "sensors/matrix" : $"sensors/{name}", name == "conv" ? "results/matrix" : $"results/{name}");

    public JsonObject Spec() => new()
    {
        ["user"] = User,
        ["name"] = Name,
        ["image"] = Image,
        ["command"] = new JsonArray(),
        ["environment"] = new JsonObject(),
        ["inputs"] = new JsonArray(Input),
        ["outputs"] = new JsonArray(Output),
        ["volumes"] = new JsonObject { ["state"] = "/state" },
        ["memoryBytesMax"] = 64 << 20,
        ["cpuCores"] = 0.1,
    };
}
