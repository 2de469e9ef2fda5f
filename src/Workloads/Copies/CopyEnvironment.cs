using EdgeFirmware.Contracts;

namespace EdgeFirmware.Workloads.Copies;

/// <summary>What a container is told about its node: where the broker is and who it is there.</summary>
public static class CopyEnvironment
{
    /// <summary>The node, seen from a container on the engine's default bridge.</summary>
    public const string NodeHost = "edge-node";

    public static Dictionary<string, string> Compose(WorkloadSpec spec, NodeId node, int brokerPort, string secret)
    {
        var environment = new Dictionary<string, string>(spec.Environment)
        {
            ["EDGE_NODE"] = node.Value,
            ["EDGE_WORKLOAD"] = spec.Id.Value,
            ["EDGE_MQTT_HOST"] = NodeHost,
            ["EDGE_MQTT_PORT"] = brokerPort.ToString(),
            ["EDGE_MQTT_CLIENT_ID"] = spec.Id.Value,
            ["EDGE_MQTT_USER"] = spec.Id.Value,
            ["EDGE_MQTT_PASSWORD"] = secret,
            ["EDGE_INPUTS"] = string.Join(',', spec.Inputs),
            ["EDGE_OUTPUTS"] = string.Join(',', spec.Outputs),
        };
        return environment;
    }
}
