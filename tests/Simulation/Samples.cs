using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;

namespace EdgeFirmware.Simulation;

/// <summary>Ordinary nodes, offers and workloads.</summary>
public static class Samples
{
    public static NodeId Node(int number) => NodeId.Parse($"gate-{number}/02:00:00:00:{number >> 8:x2}:{number & 0xff:x2}");

    public static readonly Offer Offer = new(
        Version: 1, CollaborationLevel.Everything, Why: "", CpuCores: 4, CpuFreeCores: 3, MemoryBytes: 1L << 30, MemoryFreeBytes: 600L << 20,
        DiskFreeBytes: 8L << 30, Architecture: "arm64", PageBytes: 4096, Engine: "docker 28.1", CanCheckpoint: false, Overloaded: false);

    public static readonly Offer MessagingOnly = Offer with { Level = CollaborationLevel.Messaging, Why = "no container engine answers", Engine = "" };

    public static readonly Offer StorageOnly = Offer with { Level = CollaborationLevel.Storage, Why = "overloaded" };

    public static WorkloadSpec Workload(string name = "filter") => new()
    {
        User = "ana", Name = name, Image = "filter:1", Inputs = ["sensors/+"], Outputs = ["results"], StopSeconds = 1,
    };

    public static WorkloadSpec WithVolumes(string name = "filter") =>
        Workload(name) with { Volumes = new Dictionary<string, string> { ["state"] = "/var/state" } };
}
