using EdgeFirmware.Firmware.Configuration;
using EdgeFirmware.Mqtt.Bridge;
using EdgeFirmware.Mqtt.Broker;

namespace EdgeFirmware.Firmware.Broker;

/// <summary>Starts the bridges that are configured. The firmware's own topics do not come in over them.</summary>
internal static class NodeBridges
{
    private const int PasswordBytesMax = 4096;

    /// <exception cref="ConfigurationException">A password cannot be read.</exception>
    public static void Start(MqttBroker broker, IReadOnlyList<BridgeConfiguration> bridges)
    {
        var options = new List<BridgeOptions>();
        foreach (var bridge in bridges)
        {
            var one = BridgeReader.OptionsOf(bridge, PasswordOf(bridge));
            one.TakesIn = topic => !NodeAccess.IsTopicReserved(topic);
            options.Add(one);
        }

        broker.StartBridges(options);
    }

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
