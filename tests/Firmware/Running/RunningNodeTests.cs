using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Firmware.Configuration;
using EdgeFirmware.Firmware.Logging;
using EdgeFirmware.Firmware.Running;
using EdgeFirmware.Firmware.Tests.Support;
using EdgeFirmware.Mqtt;
using EdgeFirmware.Mqtt.Client;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Firmware.Tests.Running;

public sealed class RunningNodeTests
{
    private readonly CancellationToken _limit = new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token;

    [Fact]
    public async Task A_node_without_engine_peers_and_network_carries_messages()
    {
        await using var node = await NodeUnderTest.StartAsync(allowAnonymous: true);
        await using var client = new MqttClient(new MqttClientOptions { Server = new IPEndPoint(IPAddress.Loopback, await node.MqttPortAsync()), ClientId = "sensor-1" });
        await client.ConnectAsync(_limit);
        await client.SubscribeAsync("a/+", QoS.AtLeastOnce, _limit);
        await client.PublishAsync(new MqttMessage { Topic = "a/b", Payload = "1"u8.ToArray(), QoS = QoS.AtLeastOnce }, _limit);
        await foreach (var received in client.Messages(_limit))
        {
            Assert.Equal("a/b", received.Message.Topic);
            break;
        }
    }

    [Fact]
    public async Task Its_identity_stays_and_nothing_of_it_is_readable_by_others()
    {
        var directory = Directory.CreateTempSubdirectory("edge-node-").FullName;
        var first = await NodeIdentity.LoadOrCreateAsync(directory, "gate-1", _limit);
        Assert.Equal(first, await NodeIdentity.LoadOrCreateAsync(directory, "gate-1", _limit));
        var renamed = await NodeIdentity.LoadOrCreateAsync(directory, "barn", _limit);
        Assert.Equal(("barn", first.Value[^17..]), (renamed.Name, renamed.Value[^17..]));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(directory, "identity.json")));
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task A_data_directory_that_another_node_uses_is_refused_with_its_name()
    {
        await using var node = await NodeUnderTest.StartAsync();
        var error = await Assert.ThrowsAsync<StorageException>(() => RunAsync(NodeUnderTest.Configure(node.Configuration.DataDirectory)));
        Assert.Contains("another node uses it", error.Message, StringComparison.Ordinal);
        Assert.Contains(node.Configuration.DataDirectory, error.Message, StringComparison.Ordinal);
        Assert.Equal(0, (await node.CommandAsync("status")).Code); // and the first is none the worse
    }

    [Fact]
    public async Task An_address_in_use_is_named_with_its_setting()
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        var address = (IPEndPoint)taken.LocalEndPoint!;
        var directory = Directory.CreateTempSubdirectory("edge-node-").FullName;
        var usual = NodeUnderTest.Configure(directory);
        Assert.Contains($"Mqtt.Listen: {address}", (await Assert.ThrowsAsync<ConfigurationException>(() => RunAsync(usual with { MqttListen = [address] }))).Message, StringComparison.Ordinal);
        Assert.Contains("Api.Listen: ", (await Assert.ThrowsAsync<ConfigurationException>(() => RunAsync(usual with { ApiListen = address }))).Message, StringComparison.Ordinal);
        Directory.Delete(directory, recursive: true);
    }

    [RootFact]
    public async Task A_node_starts_before_its_addresses_are_up_and_is_reached_once_they_are()
    {
        var late = IPAddress.Parse("192.0.2.7"); // documentation only, RFC 5737
        await using var node = await NodeUnderTest.StartAsync(allowAnonymous: true, api: late, mqtt: late, mesh: late);
        Do("ip", "address", "add", $"{late}/32", "dev", "lo");
        try
        {
            await using var client = new MqttClient(new MqttClientOptions { Server = new IPEndPoint(late, await node.MqttPortAsync()), ClientId = "sensor-1" });
            await client.ConnectAsync(_limit);
            await node.ApiAnswersAsync();
            using var http = new HttpClient { BaseAddress = node.Api };
            Assert.Equal("ok\n", await http.GetStringAsync("/healthz", _limit));
            using var peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await peer.ConnectAsync(node.Configuration.Mesh!.Listen, _limit);
        }
        finally
        {
            Do("ip", "address", "delete", $"{late}/32", "dev", "lo");
        }
    }

    [RootFact]
    public async Task On_a_full_disk_the_first_start_says_so_and_a_later_one_carries_messages()
    {
        var directory = Directory.CreateTempSubdirectory("edge-full-").FullName;
        Do("mount", "-t", "tmpfs", "-o", "size=64k", "edge-full", directory);
        try
        {
            Fill(directory);
            var error = await Assert.ThrowsAnyAsync<Exception>(() => RunAsync(NodeUnderTest.Configure(directory)));
            Assert.True(error is StorageException or SocketException or IOException, error.ToString());
            Assert.Contains("space", error.Message, StringComparison.OrdinalIgnoreCase);
            File.Delete(Path.Combine(directory, "filler"));
            foreach (var litter in Directory.GetFiles(directory, "*.new"))
                Assert.Fail($"left half-made: {litter}");
        }
        finally
        {
            Do("umount", directory);
            Directory.Delete(directory);
        }
    }

    private static void Fill(string directory)
    {
        using var file = File.Create(Path.Combine(directory, "filler"), 1);
        try
        {
            while (true)
                file.Write(new byte[1024]);
        }
        catch (IOException)
        {
            // full
        }
    }

    private static void Do(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    private async Task RunAsync(NodeConfiguration configuration) =>
        await new RunningNode(configuration, new JournalLog(LogLevel.Error, TextWriter.Null, false, TimeProvider.System), TimeProvider.System).RunAsync(_limit);

    [AttributeUsage(AttributeTargets.Method)]
    private sealed class RootFactAttribute : FactAttribute
    {
        public RootFactAttribute()
        {
            if (!Environment.IsPrivilegedProcess)
                Skip = "needs root to mount a tiny tmpfs or to give lo an address";
        }
    }
}
