using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using EdgeFirmware.Firmware.Broker;
using EdgeFirmware.Firmware.Cli;
using EdgeFirmware.Firmware.Configuration;
using EdgeFirmware.Firmware.Tests.Support;
using EdgeFirmware.Mqtt.Access;
using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.SensorNet;

namespace EdgeFirmware.Firmware.Tests.Running;

/// <summary>MQTT-SN at a whole node. The datagrams are written by hand after section 5.4 of its specification.</summary>
public sealed class SensorsOfANodeTests
{
    private const string Connect = "0804040100" + "3C" + "6331"; // clean, 60 s, c1
    private const string PublishPredefined = "080C21000700" + "05" + "31"; // QoS 1, predefined 7, message 5, "1"

    [Fact]
    public async Task Sensors_are_refused_until_their_user_exists_and_have_its_rights_then()
    {
        var address = new IPEndPoint(IPAddress.Loopback, NodeUnderTest.FreePort());
        await using var node = await NodeUnderTest.StartAsync(change: configuration => configuration with
        {
            SensorNet = new SensorNetConfiguration([address], "sensors", [new PredefinedTopic(7, "site/a"), new PredefinedTopic(8, "other")], 1),
        });
        using var sensor = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        await sensor.ConnectAsync(address);
        Assert.Equal("030503", await AskAsync(sensor, Connect));
        Assert.Contains("there is no user sensors", node.Journal, StringComparison.Ordinal);

        Assert.Equal(ExitCode.Done, (await node.CommandAsync("users", "add", "sensors", "--no-password", "--rule", "allow all site/#")).Code);
        Assert.Equal("030500", await AskAsync(sensor, Connect));
        Assert.Equal("070D0007000500", await AskAsync(sensor, PublishPredefined));
        Assert.Equal("070D0008000503", await AskAsync(sensor, PublishPredefined.Replace("0007", "0008", StringComparison.Ordinal)));
        var clients = JsonNode.Parse((await node.CommandAsync("clients", "list", "--json")).Output)!["clients"]!.AsArray();
        var client = clients.Single(one => one!["id"]!.GetValue<string>() == "sn:c1")!;
        Assert.Equal(("sensors", "sensorNet"), (client["user"]!.GetValue<string>(), client["transport"]!.GetValue<string>()));

        Assert.Equal(ExitCode.Done, (await node.CommandAsync("users", "remove", "sensors")).Code);
        Assert.Equal("0218", await AskAsync(sensor, ""));
    }

    [Fact]
    public async Task An_address_in_use_is_a_fault_of_the_configuration()
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        await using var broker = new MqttBroker(new BrokerOptions());
        using var users = new UserAccess(UserDirectory.Empty);
        var configuration = new SensorNetConfiguration([(IPEndPoint)taken.LocalEndPoint!], "sensors", [], 1);
        var fault = Assert.Throws<ConfigurationException>(() => NodeSensors.Start(broker, configuration, new NodeAccess(false, () => null, users)));
        Assert.StartsWith("Mqtt.SensorNet.Listen: ", fault.Message, StringComparison.Ordinal);
    }

    /// <summary>The next answer, after a datagram unless that is empty.</summary>
    private static async Task<string> AskAsync(Socket sensor, string hex)
    {
        if (hex.Length > 0)
            await sensor.SendAsync(Convert.FromHexString(hex));
        var buffer = new byte[256];
        var length = await sensor.ReceiveAsync(buffer).WaitAsync(TimeSpan.FromSeconds(20));
        return Convert.ToHexString(buffer.AsSpan(0, length));
    }
}
