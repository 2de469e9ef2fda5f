using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeFirmware.Firmware.Cli;
using EdgeFirmware.Firmware.Tests.Support;
using EdgeFirmware.Mqtt;
using EdgeFirmware.Mqtt.Client;

namespace EdgeFirmware.Firmware.Tests.Cli.Messages;

/// <summary>The same command lines, given to mosquitto's clients and to ours, at the same broker.</summary>
public sealed class ParityTests : IClassFixture<ParityTests.OpenNode>
{
    private readonly OpenNode _open;

    public ParityTests(OpenNode open) => _open = open;

    /// <summary>Retained on <c>a/#</c>: a/bin, a/json, a/text in this order.</summary>
    [Theory]
    [InlineData("-t", "a/#", "-C", "3", "-v")]
    [InlineData("-t", "a/text", "-t", "a/json", "-C", "2", "-q", "1")]
    [InlineData("-t", "a/text", "-C", "1", "-N")]
    [InlineData("-t", "a/#", "-T", "b/+", "-T", "a/bin", "-C", "2", "-v")]
    [InlineData("-t", "a/#", "-E")]
    [InlineData("-t", "a/+", "-C", "3", "--retained-only", "-v")]
    [InlineData("-t", "a/#", "-R", "-W", "1")]
    [InlineData("-t", "none", "-W", "1", "--quiet")]
    [InlineData("-t", "a/text", "-C", "1", "-V", "311", "-F", "%t|%p|%q|%r|%l|%x|%X|%P|%C")]
    [InlineData("-t", "a/json", "-C", "1", "-V", "5", "-q", "2", "-F", "%C|%D|%F|%P|%R|%q|%m|%%")]
    [InlineData("-t", "a/json", "-C", "1", "-V", "5", "-F", "%j")]
    [InlineData("-t", "a/json", "-C", "1", "-V", "5", "-q", "1", "-F", "%J", "-D", "subscribe", "subscription-identifier", "7")]
    [InlineData("-t", "a/text", "-C", "1", "-V", "mqttv311", "-F", "%j")]
    [InlineData("-t", "a/text", "-C", "1", "-V", "5", "-F", "%S", "-D", "subscribe", "subscription-identifier", "268435455")]
    [InlineData("-t", "a/text", "-C", "1", "-F", "[%10t][%-10t][%.2t][%3.3t][%10l][%010l][%-10l][%12p]")]
    [InlineData("-t", "a/text", "-C", "1", "-F", "\\\\ \\a\\e\\n\\r\\t\\v@@ %%")]
    [InlineData("-t", "a/text", "-C", "1", "-F", "@Y-@m-@d @j @F @C @G @u @w @U @V @W @y @a @A @b @B @h @D @x")]
    [InlineData("-t", "a/text", "-t", "a/json", "-U", "a/json", "-C", "2", "-i", "one")]
    [InlineData("-L", "mqtt://127.0.0.1:PORT/a/text", "-C", "1")]
    [InlineData("-t", "a/text", "-C", "1", "-k", "10", "-x", "5", "-V", "5", "-I", "prefix", "--nodelay")]
    [InlineData("-t", "a/text", "-C", "1", "--will-topic", "w", "--will-payload", "gone", "--will-qos", "1", "--will-retain")]
    [InlineData("-t", "a/text", "-C", "1", "-A", "127.0.0.1", "-u", "somebody", "-P", "secret")]
    public async Task Sub_prints_the_same(params string[] arguments)
    {
        string[] line = [.. arguments[0] == "-L" ? [] : _open.Broker, .. arguments.Select(_open.Fill)];
        var (theirs, theirCode) = await MosquittoAsync("mosquitto_sub", "", line);
        var (code, output, error) = await NodeUnderTest.RunAsync(["sub", .. line]);
        Assert.True(theirCode == code, $"{theirCode} became {code}: {error}");
        Assert.Equal(Timeless(theirs), Timeless(output));
    }

    [Theory]
    [InlineData("one\ntwo\n", "-t", "p", "-l")]
    [InlineData("one\r\n\nlast\n", "-t", "p", "-l", "-q", "1")]
    [InlineData("one\ntwo", "-t", "p", "-s", "-q", "2")]
    [InlineData("", "-t", "p", "-m", "hello")]
    [InlineData("", "-t", "p", "-m", "-q")]
    [InlineData("", "-t", "p", "-m", "@file")]
    [InlineData("", "-t", "p", "-m", "", "-r")]
    [InlineData("", "-t", "p", "-n", "-q", "1")]
    [InlineData("", "-t", "p", "-m", "x", "--repeat", "3", "-q", "2", "--repeat-delay", "0.01")]
    [InlineData("", "-t", "p", "-f", "FILE", "-q", "1")]
    [InlineData("", "-t", "p", "-m", "x", "-V", "mqttv311", "-i", "me", "-q", "2", "-M", "1")]
    [InlineData("", "-t", "p", "-m", "x", "-V", "5", "-D", "publish", "user-property", "a", "1", "-D", "publish", "user-property", "a", "2")]
    [InlineData("", "-t", "p", "-m", "x", "-V", "5", "-D", "publish", "correlation-data", "c", "-D", "PUBLISH", "response-topic", "r")]
    [InlineData("", "-t", "p", "-m", "x", "-V", "5", "-D", "publish", "content-type", "c", "-D", "publish", "payload-format-indicator", "1")]
    [InlineData("", "-t", "p", "-m", "x", "-V", "5", "-D", "connect", "user-property", "a", "b", "-D", "connect", "receive-maximum", "3")]
    [InlineData("", "-t", "p", "-m", "x", "-V", "5", "-D", "publish", "message-expiry-interval", "1000")]
    [InlineData("", "-L", "mqtt://u:p@127.0.0.1:PORT/p", "-m", "x", "-q", "1")]
    public async Task Pub_sends_the_same(string input, params string[] arguments)
    {
        string[] line = [.. arguments[0] == "-L" ? [] : _open.Broker, .. arguments.Select(_open.Fill)];
        await using var listener = await _open.ListenAsync("p");
        Assert.Equal(0, (await MosquittoAsync("mosquitto_pub", input, line)).Code);
        var theirs = await _open.ReceivedAsync(listener);
        var (code, _, error) = await NodeUnderTest.RunAsync(input, ["pub", .. line]);
        Assert.True(code == ExitCode.Done, error);
        Assert.Equal(theirs, await _open.ReceivedAsync(listener));
    }

    [Theory]
    [InlineData("sub")]
    [InlineData("sub", "-t", "x", "--bogus")]
    [InlineData("sub", "-t", "x", "-q", "3")]
    [InlineData("sub", "-t", "x", "-C", "0")]
    [InlineData("sub", "-t", "x", "-c")]
    [InlineData("sub", "-t", "x", "-i", "a", "-I", "b")]
    [InlineData("sub", "-t", "x", "-V", "9")]
    [InlineData("sub", "-t", "x", "-F", "%")]
    [InlineData("sub", "-t", "x", "-F", "%y")]
    [InlineData("sub", "-t", "x", "-F", "@")]
    [InlineData("sub", "-t", "x", "-R", "--retained-only")]
    [InlineData("sub", "-t", "x", "-p", "0")]
    [InlineData("sub", "-U", "x")]
    [InlineData("sub", "-L", "nonsense", "-C", "1")]
    [InlineData("pub", "-t", "t")]
    [InlineData("pub", "-t", "t", "-m", "a", "-n")]
    [InlineData("pub", "-t", "a/#", "-m", "x")]
    [InlineData("pub", "-t", "t", "-m", "x", "--repeat", "0")]
    [InlineData("pub", "-t", "t", "-m", "x", "-D", "publish", "foo", "3")]
    [InlineData("pub", "-t", "t", "-m", "x", "-D", "connect")]
    [InlineData("pub", "-t", "t", "-m", "x", "--will-qos", "3")]
    public async Task Both_refuse_what_makes_no_sense(string command, params string[] arguments)
    {
        string[] line = [.. _open.Broker, .. arguments];
        Assert.NotEqual(0, (await MosquittoAsync($"mosquitto_{command}", "", line)).Code);
        Assert.Equal(ExitCode.Usage, (await NodeUnderTest.RunAsync([command, .. line])).Code);
    }

    [Fact]
    public async Task A_session_is_kept_with_c_and_goes_on_in_the_other_client()
    {
        string[] session = [.. _open.Broker, "-V", "5", "-c", "-i", "kept", "-q", "1", "-t", "k"];
        Assert.Equal(ExitCode.Done, (await NodeUnderTest.RunAsync(["sub", .. session, "-E"])).Code);
        Assert.Equal(0, (await MosquittoAsync("mosquitto_pub", "", [.. _open.Broker, "-t", "k", "-m", "waited", "-q", "1"])).Code);
        Assert.Equal(("waited\n", 0), await MosquittoAsync("mosquitto_sub", "", [.. session, "-C", "1"]));
        Assert.Equal(ExitCode.Done, (await NodeUnderTest.RunAsync(["pub", .. _open.Broker, "-t", "k", "-m", "again", "-q", "1"])).Code);
        Assert.Equal((ExitCode.Done, "again\n", ""), await NodeUnderTest.RunAsync(["sub", .. session, "-C", "1"]));
    }

    [Fact]
    public async Task Remove_retained_clears_what_is_not_filtered_out()
    {
        foreach (var topic in new[] { "clear/1", "clear/2" })
            Assert.Equal(ExitCode.Done, (await NodeUnderTest.RunAsync(["pub", .. _open.Broker, "-t", topic, "-m", "x", "-r", "-q", "1"])).Code);
        await NodeUnderTest.RunAsync(["sub", .. _open.Broker, "-t", "clear/#", "--remove-retained", "-T", "clear/2", "-C", "1"]);
        Assert.Equal((ExitCode.TimedOut, "clear/2 x\n"), await QuietAsync("clear/#"));

        async Task<(int, string)> QuietAsync(string filter)
        {
            var (code, output, _) = await NodeUnderTest.RunAsync(["sub", .. _open.Broker, "-t", filter, "-v", "-W", "0.3"]);
            return (code, output);
        }
    }

    [Fact]
    public async Task Help_names_every_flag_and_a_host_that_does_not_answer_is_code_3()
    {
        var (code, output, _) = await NodeUnderTest.RunAsync("sub", "--help");
        Assert.Equal(ExitCode.Done, code);
        Assert.Contains("-h, --host HOST", output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.NoNode, (await NodeUnderTest.RunAsync("pub", "-h", "127.0.0.1", "-p", "1", "-t", "t", "-m", "x")).Code);
    }

    /// <summary>Without what the clock decides, and JSON with its members sorted: mosquitto's order is that of the packet.</summary>
    private static string Timeless(string text)
    {
        if (!text.StartsWith('{')) return text;
        using var json = JsonDocument.Parse(text);
        return string.Join('\n', Members("", json.RootElement).Order(StringComparer.Ordinal));
    }

    private static IEnumerable<string> Members(string path, JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Object) return [$"{path}={element.GetRawText()}"];
        return element.EnumerateObject().Where(member => member.Name is not ("tst" or "message-expiry-interval"))
            .SelectMany(member => Members($"{path}.{member.Name}", member.Value));
    }

    private static async Task<(string Output, int Code)> MosquittoAsync(string program, string input, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, StandardOutputEncoding = Encoding.UTF8,
        })!;
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var output = await process.StandardOutput.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        return (output, process.ExitCode);
    }

    /// <summary>A node that lets everybody in, with some retained messages.</summary>
    public sealed class OpenNode : IAsyncLifetime
    {
        private readonly string _file = Path.GetTempFileName();
        private NodeUnderTest _node = null!;

        public int Port { get; private set; }

        public string[] Broker => ["-h", "127.0.0.1", "-p", $"{Port}"];

        public async Task InitializeAsync()
        {
            _node = await NodeUnderTest.StartAsync(allowAnonymous: true);
            Port = await _node.MqttPortAsync();
            await File.WriteAllBytesAsync(_file, [0, 1, 255, 10]);
            await PublishAsync("-t", "a/text", "-m", "plain");
            await PublishAsync("-t", "a/bin", "-m", "tab\t\"quoted\" ~");
            await PublishAsync(
                "-t", "a/json", "-m", "{\"x\":1,\"s\":\"\u00e9\\\"q\"}", "-V", "5",
                "-D", "publish", "user-property", "k", "1", "-D", "publish", "user-property", "k", "2",
                "-D", "publish", "content-type", "text/x", "-D", "publish", "response-topic", "r/t", "-D", "publish", "correlation-data", "c\"d",
                "-D", "publish", "payload-format-indicator", "1", "-D", "publish", "message-expiry-interval", "1000");
        }

        public async Task DisposeAsync()
        {
            await _node.DisposeAsync();
            File.Delete(_file);
        }

        public string Fill(string argument) =>
            argument.Replace("PORT", $"{Port}", StringComparison.Ordinal).Replace("FILE", _file, StringComparison.Ordinal);

        public async Task<MqttClient> ListenAsync(string topic)
        {
            var client = new MqttClient(new MqttClientOptions { Server = MqttClientOptions.Tcp("127.0.0.1", Port) });
            await client.ConnectAsync();
            await client.SubscribeAsync(topic, QoS.ExactlyOnce);
            return client;
        }

        /// <summary>Everything: the publisher is gone from the broker, and then a mark is sent.</summary>
        public async Task<List<string>> ReceivedAsync(MqttClient listener)
        {
            await _node.UntilAsync(async () => await ClientsAsync() == 1);
            await listener.PublishAsync(new MqttMessage { Topic = "p", Payload = "mark"u8.ToArray(), QoS = QoS.ExactlyOnce });
            var lines = new List<string>();
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            await foreach (var received in listener.Messages(limit.Token))
            {
                var message = received.Message;
                if (message.Payload.Span.SequenceEqual("mark"u8)) break;
                var properties = string.Join(',', message.UserProperties);
                var correlation = Convert.ToHexString((message.CorrelationData ?? default).Span);
                lines.Add($"{message.Topic} {message.QoS} {message.Retain} {Convert.ToHexString(message.Payload.Span)} {properties} {message.ContentType} "
                    + $"{message.ResponseTopic} {correlation} {message.PayloadFormat} {message.MessageExpirySeconds > 900}");
            }

            return lines;
        }

        private async Task<int> ClientsAsync() =>
            JsonNode.Parse((await _node.CommandAsync("status", "--json")).Output)!["broker"]!["clients"]!.GetValue<int>();

        private async Task PublishAsync(params string[] arguments)
        {
            var (code, _, error) = await NodeUnderTest.RunAsync(["pub", .. Broker, .. arguments, "-r", "-q", "1"]);
            Assert.True(code == ExitCode.Done, error);
        }
    }
}
