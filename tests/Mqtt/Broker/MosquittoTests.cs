using System.Diagnostics;

namespace EdgeFirmware.Mqtt.Tests.Broker;

/// <summary>The reference implementation's clients against our broker.</summary>
public sealed class MosquittoTests
{
    public static TheoryData<string, int> Versions
    {
        get
        {
            var data = new TheoryData<string, int>();
            foreach (var version in new[] { "mqttv31", "mqttv311", "mqttv5" })
            {
                for (var qos = 0; qos < 3; qos++) data.Add(version, qos);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Publishing_and_subscribing_works_at_every_QoS(string version, int qos)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        var subscriber = Start("mosquitto_sub", loopback, version, "-t", "a/#", "-q", $"{qos}", "-C", "10", "-W", "30");
        await Within.Until(() => loopback.Broker.Statistics.Subscriptions == 1, "subscribed");
        var publisher = Start("mosquitto_pub", loopback, version, "-t", "a/b", "-q", $"{qos}", "-l");
        for (var i = 0; i < 10; i++) await publisher.StandardInput.WriteLineAsync($"{i}");
        publisher.StandardInput.Close();
        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"{i}"), await LinesAsync(subscriber));
        await LinesAsync(publisher);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Retained_messages_and_wills_arrive(string version, int qos)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        await LinesAsync(Start("mosquitto_pub", loopback, version, "-t", "r", "-q", $"{qos}", "-m", "kept", "-r"));
        var subscriber = Start("mosquitto_sub", loopback, version, "-t", "r", "-t", "w", "-q", $"{qos}", "-C", "2", "-W", "30", "-v");
        await Within.Until(() => loopback.Broker.Statistics.Subscriptions == 2, "subscribed");
        using var dying = Start("mosquitto_sub", loopback, version, "-t", "x", "-i", "dying", "--will-topic", "w", "--will-payload", "gone");
        await Within.Until(() => loopback.Broker.Statistics.Subscriptions == 3, "will is set");
        dying.Kill();
        Assert.Equal(["r kept", "w gone"], await LinesAsync(subscriber));
    }

    [Theory]
    [InlineData("mqttv311")]
    [InlineData("mqttv5")]
    public async Task A_persistent_session_is_resumed(string version)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        string[] session = ["-t", "p", "-i", "keeper", "-c", "-q", "2"];
        if (version == "mqttv5") session = [.. session, "-x", "100"];
        await LinesAsync(Start("mosquitto_sub", loopback, version, [.. session, "-E"]));
        await LinesAsync(Start("mosquitto_pub", loopback, version, "-t", "p", "-q", "1", "-m", "one"));
        await LinesAsync(Start("mosquitto_pub", loopback, version, "-t", "p", "-q", "2", "-m", "two"));
        Assert.Equal(["one", "two"], await LinesAsync(Start("mosquitto_sub", loopback, version, [.. session, "-C", "2", "-W", "30"])));
    }

    [Fact]
    public async Task Properties_pass_from_mosquitto_to_our_client()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        var client = await loopback.ConnectAsync("c");
        await client.SubscribeAsync("a");
        await LinesAsync(Start(
            "mosquitto_pub", loopback, "mqttv5", "-t", "a", "-m", "x", "-q", "1", "-D", "publish", "content-type", "json",
            "-D", "publish", "user-property", "b", "1", "-D", "publish", "user-property", "a", "2", "-D", "publish", "response-topic", "r"));
        var message = (await Within.Reason(client.ReceiveAsync())).Message;
        Assert.Equal(("json", "r"), (message.ContentType, message.ResponseTopic));
        Assert.Equal([new UserProperty("b", "1"), new UserProperty("a", "2")], message.UserProperties);
    }

    private static Process Start(string program, LoopbackBroker loopback, string version, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, ["-h", "127.0.0.1", "-p", $"{loopback.Port}", "-V", version, .. arguments])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true,
        };
        return Process.Start(start)!;
    }

    /// <summary>Waits for the end, which must be a success, and returns what was printed.</summary>
    private static async Task<string[]> LinesAsync(Process process)
    {
        using (process)
        {
            var errors = process.StandardError.ReadToEndAsync();
            var output = await Within.Reason(process.StandardOutput.ReadToEndAsync());
            await Within.Reason(process.WaitForExitAsync());
            Assert.True(process.ExitCode == 0, $"exit {process.ExitCode}: {await errors}");
            return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }
    }
}
