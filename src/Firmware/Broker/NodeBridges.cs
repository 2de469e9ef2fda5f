using EdgeFirmware.Firmware.Configuration;
using EdgeFirmware.Mqtt.Bridge;
using EdgeFirmware.Mqtt.Broker;

namespace EdgeFirmware.Firmware.Broker;

/// <summary>Starts the bridges that are configured. The firmware's own topics do not come in over them.</summary>
internal static class NodeBridges
{
    private const int PasswordBytesMax = 4096;

    /// <param name="carrierTo">What leads to a node of the site; <c>null</c>: nothing does.</param>
    /// <exception cref="ConfigurationException">A password cannot be read, or there is no overlay.</exception>
    public static void Start(MqttBroker broker, IReadOnlyList<BridgeConfiguration> bridges, Func<string, IBridgeCarrier>? carrierTo)
    {
        var options = new List<BridgeOptions>();
        foreach (var bridge in bridges)
        {
            if (bridge.Node is not null && carrierTo is null)
                throw new ConfigurationException([$"Mqtt.Bridges: {bridge.Name}: Node: this node has no overlay; see Mesh.Listen and Overlay.Port"]);
            var one = BridgeReader.OptionsOf(bridge, PasswordOf(bridge), bridge.Node is null ? null : carrierTo!(bridge.Node));
            one.TakesIn = TakesIn;
            options.Add(one);
        }

        broker.StartBridges(options);
    }

    public static bool TakesIn(string topic) => !NodeAccess.IsTopicReserved(topic);

    private static string? PasswordOf(BridgeConfiguration bridge)
    {
        if (bridge.PasswordFile is not { } path) return null;
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > PasswordBytesMax }) throw new IOException($"larger than {PasswordBytesMax} bytes");
            using var reader = new StreamReader(path);
            return reader.ReadLine() ?? "";
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException([$"Mqtt.Bridges: {bridge.Name}: PasswordFile: {path}: {error.Message}"]);
        }
    }
}
