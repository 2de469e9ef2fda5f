using System.Text;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Messaging;

namespace EdgeFirmware.Workloads.Tests.Support;

internal static class Samples
{
    public static readonly WorkloadId Workload = WorkloadId.Parse("demo-conv");

    public static readonly WorkloadSpec Spec = new()
    {
        User = "demo", Name = "conv", Image = "conv:1", Inputs = ["in/#"], Outputs = ["out"], StopSeconds = 1,
    };

    public static NodeId Node(int number) => NodeId.Parse($"node-{number}/02:00:00:00:00:{number:x2}");

    public static WorkloadRecord Record(NodeId owner, long epoch, WorkloadState state = WorkloadState.Running, WorkloadSpec? spec = null) =>
        new(spec ?? Spec, epoch, 0, owner, owner, state, null, "test");

    public static SensorMessage Message(string text, string topic = "in/1", byte qos = 1) => new(topic, Encoding.UTF8.GetBytes(text), qos, false);

    public static SensorMessage Message(int size, byte qos) => new("in/1", new byte[size], qos, false);

    public static string Text(SensorMessage message) => Encoding.UTF8.GetString(message.Payload.Span);
}
