using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using EdgeFirmware.Mqtt.Bridge;
using EdgeFirmware.Mqtt.Client;

namespace EdgeFirmware.Mqtt.Tests.Bridge;

/// <summary>Mosquitto at the other end: as the broker that is bridged to, and as the one that bridges.</summary>
public sealed class MosquittoBridgeTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("edge-mosquitto-").FullName;
    private readonly int _port = Site.FreePort();
    private Process? _mosquitto;

    private IPEndPoint Address => new(IPAddress.Loopback, _port);

    [Theory]
    [InlineData(ProtocolVersion.V311)]
    [InlineData(ProtocolVersion.V5)]
    public async Task We_bridge_to_it_both_ways_without_a_loop_and_go_on_after_it_was_killed(ProtocolVersion version)
    {
        await StartAsync("persistence true", $"persistence_location {_directory}/", "autosave_interval 1", "autosave_on_changes true");
        await using var edge = await Site.BrokerAsync("edge");
        var options = Site.To(Address, new BridgeTopic("#", BridgeDirection.Both, QoS.ExactlyOnce));
        options.Remote!.Version = version;
        var bridge = edge.Broker.Start(options);
        await bridge.UpAsync();
        await using var above = await ClientAsync("above");
        await above.SubscribeAsync("#", QoS.ExactlyOnce);
        var below = await edge.ConnectAsync("below");
        await below.SubscribeAsync("#", QoS.ExactlyOnce);
        for (var i = 0; i < 20; i++)
        {
            await below.PublishAsync(Messages.Message("up", $"u{i}", QoS.ExactlyOnce));
            await above.PublishAsync(Messages.Message("down", $"d{i}", QoS.ExactlyOnce));
        }

        Assert.Equal(Both("u", "d", 20), (await above.TakeAsync(40)).Order());
        Assert.Equal(Both("u", "d", 20), (await below.TakeAsync(40)).Order());

        _mosquitto!.Kill();
        await _mosquitto.WaitForExitAsync();
        await bridge.DownAsync();
        for (var i = 0; i < 500; i++) edge.Broker.Publish(Messages.Message("up", $"{i}", QoS.AtLeastOnce));
        Assert.Equal(500, bridge.Status.QueuedMessages);
        await StartAsync("persistence false");
        await bridge.UpAsync();
        await Within.Until(() => bridge.Status.QueuedMessages == 0, "drained without a new publish");
        // It has lost its sessions; ours is as good as before.
        await using var late = await ClientAsync("late");
        await late.SubscribeAsync("after", QoS.AtLeastOnce);
        edge.Broker.Publish(Messages.Message("after", "up", QoS.AtLeastOnce));
        Assert.Equal(["up"], await late.TakeAsync(1));
        await late.PublishAsync(Messages.Message("down", "again", QoS.AtLeastOnce));
        while ((await Within.Reason(below.ReceiveAsync())).Message.Text() != "again")
        {
        }
    }

    [Theory]
    [InlineData("mqttv311")]
    [InlineData("mqttv50")]
    public async Task It_bridges_to_us_both_ways_without_a_loop_and_tells_whether_it_is_connected(string version)
    {
        await using var cloud = await Site.BrokerAsync("cloud");
        var watcher = await cloud.ConnectAsync("watcher");
        await watcher.SubscribeAsync("$SYS/broker/connection/+/state", QoS.AtLeastOnce);
        await StartAsync(
            "connection up", $"address 127.0.0.1:{cloud.Port}", "topic # both 2 here/ there/", $"bridge_protocol_version {version}", "remote_clientid musca",
            "cleansession false", "restart_timeout 1 2");
        await Within.Until(() => cloud.Broker.Statistics.Subscriptions == 2, "it has subscribed");
        Assert.Equal("1", (await watcher.TakeAsync(1))[0]);
        await using var below = await ClientAsync("below");
        await below.SubscribeAsync("here/#", QoS.ExactlyOnce);
        var above = await cloud.ConnectAsync("above");
        await above.SubscribeAsync("there/#", QoS.ExactlyOnce);
        for (var i = 0; i < 20; i++)
        {
            await below.PublishAsync(Messages.Message("here/x", $"u{i}", QoS.ExactlyOnce));
            await above.PublishAsync(Messages.Message("there/x", $"d{i}", QoS.ExactlyOnce));
        }

        Assert.Equal(Both("u", "d", 20), (await above.TakeAsync(40)).Order());
        Assert.Equal(Both("u", "d", 20), (await below.TakeAsync(40)).Order());
        Assert.Null(above.TryReceive());
        Assert.Null(below.TryReceive());
        _mosquitto!.Kill();
        Assert.Equal("0", (await watcher.TakeAsync(1))[0]);
    }

    public void Dispose()
    {
        if (_mosquitto is { HasExited: false }) _mosquitto.Kill();
        _mosquitto?.WaitForExit();
        _mosquitto?.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private static IEnumerable<string> Both(string one, string other, int count) =>
        Enumerable.Range(0, count).SelectMany(i => new[] { $"{one}{i}", $"{other}{i}" }).Order();

    private async Task<MqttClient> ClientAsync(string clientId)
    {
        var client = new MqttClient(new MqttClientOptions
        {
            Server = Address, ClientId = clientId, CleanStart = false, SessionExpirySeconds = 1000, Reconnect = true, ReconnectDelay = TimeSpan.FromMilliseconds(50),
        });
        await Within.Reason(client.ConnectAsync());
        return client;
    }

    private async Task StartAsync(params string[] configuration)
    {
        var path = Path.Combine(_directory, "mosquitto.conf");
        await File.WriteAllLinesAsync(path, [$"listener {_port} 127.0.0.1", "allow_anonymous true", "user root", .. configuration]);
        _mosquitto = Process.Start(new ProcessStartInfo("/usr/sbin/mosquitto", ["-c", path]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        _mosquitto.BeginErrorReadLine();
        _mosquitto.BeginOutputReadLine();
        await Within.Until(Listens, "mosquitto listens");
    }

    private bool Listens()
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            probe.Connect(Address);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
