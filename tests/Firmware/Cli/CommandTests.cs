using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using EdgeFirmware.Firmware.Cli;
using EdgeFirmware.Firmware.Tests.Support;

namespace EdgeFirmware.Firmware.Tests.Cli;

public sealed class CommandTests : IAsyncLifetime
{
    private NodeUnderTest _node = null!;

    public async Task InitializeAsync() => _node = await NodeUnderTest.StartAsync();

    public async Task DisposeAsync() => await _node.DisposeAsync();

    [Fact]
    public async Task Status_says_what_keeps_the_node_from_doing_more()
    {
        var (code, output, _) = await _node.CommandAsync("status");
        Assert.Equal(ExitCode.Done, code);
        Assert.Contains("none answers at", output, StringComparison.Ordinal);
        Assert.Contains("none configured", output, StringComparison.Ordinal);
        var json = JsonNode.Parse((await _node.CommandAsync("status", "--json")).Output)!;
        Assert.StartsWith("gate-1/", json["id"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("peers")]
    [InlineData("bridges")]
    [InlineData("workloads")]
    public async Task Lists_are_empty_and_say_so_in_both_shapes(string command)
    {
        var (code, output, _) = await _node.CommandAsync(command);
        Assert.Equal(ExitCode.Done, code);
        Assert.StartsWith("NAME", output, StringComparison.Ordinal);
        Assert.Empty(JsonNode.Parse((await _node.CommandAsync(command, "--json")).Output)!.AsArray());
    }

    [Fact]
    public async Task What_is_foreseen_is_told_as_a_table_and_as_JSON()
    {
        var (code, output, _) = await _node.CommandAsync("forecast");
        Assert.Equal(ExitCode.Done, code);
        Assert.StartsWith("overload   none foreseen", output, StringComparison.Ordinal);
        Assert.Contains("failure    ", output, StringComparison.Ordinal);
        var json = JsonNode.Parse((await _node.CommandAsync("forecast", "--json")).Output)!;
        Assert.False(json["overloadForeseen"]!.GetValue<bool>());
        Assert.InRange(json["failureScore"]!.GetValue<double>(), 0, 1);
    }

    [Theory]
    [InlineData("logs", "nobody")]
    [InlineData("remove", "nobody")]
    [InlineData("migrate", "nobody")]
    public async Task A_workload_that_is_not_there_is_named(string command, string name)
    {
        var (code, _, error) = await _node.CommandAsync(command, name);
        Assert.Equal(ExitCode.Refused, code);
        Assert.Equal($"edge-firmware: there is no workload '{name}'", error.TrimEnd());
        var (again, output, _) = await _node.CommandAsync(command, name, "--json");
        Assert.Equal((ExitCode.Refused, 404), (again, JsonNode.Parse(output)!["status"]!.GetValue<int>()));
    }

    [Fact]
    public async Task A_deployment_that_nobody_can_take_is_refused_with_the_reason()
    {
        var (code, _, error) = await _node.CommandAsync("deploy", "--user", "demo", "--name", "x", "--image", "i:1");
        Assert.Equal(ExitCode.Refused, code);
        Assert.Contains("engine", error, StringComparison.OrdinalIgnoreCase);
        Assert.Empty(JsonNode.Parse((await _node.CommandAsync("workloads", "--json")).Output)!.AsArray());
    }

    [Theory]
    [InlineData("bogus")]
    [InlineData("status", "--nonsense")]
    [InlineData("pub", "-m", "x")]
    [InlineData("pub", "-t", "t", "-m", "x", "-q", "3")]
    [InlineData("pub", "-t", "t")]
    [InlineData("pub", "-t", "t", "-m", "x", "-n")]
    [InlineData("deploy")]
    [InlineData("deploy", "--user", "de-mo", "--name", "x", "--image", "i")]
    [InlineData("deploy", "--user", "demo", "--name", "x", "--image", "i", "--env", "novalue")]
    [InlineData("logs", "nobody", "--tail", "-1")]
    [InlineData("sub", "-t", "t", "-W", "-1")]
    [InlineData("sub", "-t", "a/#/b")]
    [InlineData("sub", "-t", "$share/a+/b")]
    [InlineData("sub", "-t", "t", "--psk", "00")]
    [InlineData("pub", "-t", "t", "-m")]
    [InlineData("sub", "-t", "t", "-W", "1e300")]
    [InlineData("run")]
    public async Task Wrong_usage_is_code_2_and_says_why(params string[] arguments)
    {
        var (code, _, error) = await _node.CommandAsync(arguments);
        Assert.Equal(ExitCode.Usage, code);
        Assert.NotEmpty(error);
    }

    [Theory]
    [InlineData("status")]
    [InlineData("peers")]
    [InlineData("pub", "-t", "t", "-m", "x")]
    [InlineData("sub", "-t", "t")]
    public async Task Without_a_node_it_is_code_3_and_says_how_to_start_one(params string[] arguments)
    {
        var (code, _, error) = await NodeUnderTest.RunAsync([.. arguments, "--data", "/tmp/edge-none"]);
        Assert.Equal(ExitCode.NoNode, code);
        Assert.Contains("start it with 'edge-firmware run'", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"status\":200,\"body\":{\"novelty\":1}}")]
    [InlineData("nonsense")]
    public async Task A_node_of_another_version_is_refused_with_advice(string answer)
    {
        var directory = Directory.CreateTempSubdirectory("edge-other-").FullName;
        using var other = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        other.Bind(new UnixDomainSocketEndPoint(Path.Combine(directory, "control.sock")));
        other.Listen();
        var asking = NodeUnderTest.RunAsync("status", "--data", directory);
        using (var caller = await other.AcceptAsync())
        {
            await caller.ReceiveAsync(new byte[1024]);
            await caller.SendAsync(Encoding.UTF8.GetBytes(answer + "\n"));
        }
        var (code, _, error) = await asking;
        Assert.Equal(ExitCode.Refused, code);
        Assert.Contains("another version", error, StringComparison.Ordinal);
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task A_configuration_that_is_wrong_is_code_2()
    {
        var (code, _, error) = await NodeUnderTest.RunAsync("status", "--config", "/none/such.json");
        Assert.Equal(ExitCode.Usage, code);
        Assert.Contains("/none/such.json", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Version_needs_no_node()
    {
        var (code, output, _) = await NodeUnderTest.RunAsync("version", "--json");
        Assert.Equal(ExitCode.Done, code);
        Assert.Equal("edge-firmware", JsonNode.Parse(output)!["name"]!.GetValue<string>());
    }

    [Fact]
    public async Task What_is_published_is_printed_by_who_subscribes()
    {
        Assert.Equal(ExitCode.Done, (await _node.CommandAsync("pub", "-t", "kept", "-m", "hello", "-r", "-q", "1")).Code);
        var (code, output, _) = await _node.CommandAsync("sub", "-t", "kept", "-C", "1", "-v");
        Assert.Equal((ExitCode.Done, "kept hello"), (code, output.TrimEnd()));
        var json = JsonNode.Parse((await _node.CommandAsync("sub", "-t", "kept", "-C", "1", "--json")).Output)!;
        Assert.Equal(("hello", true), (json["payload"]!.GetValue<string>(), json["retain"]!.GetValue<bool>()));
        Assert.Equal(1, JsonNode.Parse((await _node.CommandAsync("pub", "-t", "kept", "-n", "-r", "--json")).Output)!["published"]!.GetValue<int>());
        Assert.Equal((ExitCode.TimedOut, ""), await WaitedAsync("kept"));
        Assert.Equal(ExitCode.Refused, (await _node.CommandAsync("pub", "-t", "$SYS/x", "-m", "x", "-q", "1")).Code);
    }

    [Theory]
    [InlineData("nonsense\n", 400)]
    [InlineData("null\n", 400)]
    [InlineData("{\"command\":\"dance\"}\n", 400)]
    [InlineData("{\"command\":\"logs\"}\n", 400)]
    [InlineData("{\"command\":\"deploy\"}\n", 400)]
    public async Task The_control_socket_answers_nonsense_with_a_problem(string request, int status)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(_node.Configuration.ControlSocket));
        await socket.SendAsync(Encoding.UTF8.GetBytes(request));
        using var reader = new StreamReader(new NetworkStream(socket));
        Assert.Equal(status, JsonNode.Parse((await reader.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(10)))!)!["status"]!.GetValue<int>());
    }

    [Fact]
    public async Task The_control_socket_is_the_owner_s_alone_and_outlives_callers_who_leave()
    {
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_node.Configuration.ControlSocket));
        for (var i = 0; i < 200; i++)
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(_node.Configuration.ControlSocket));
                if (i % 2 == 0)
                    await socket.SendAsync("{\"comm"u8.ToArray());
            }
            catch (SocketException)
            {
                // more than the node takes at once
            }
        }
        (int Code, string Output, string Error) answer;
        var deadline = DateTime.UtcNow.AddSeconds(20);
        do
            answer = await _node.CommandAsync("status"); // the last of the crowd may still be on their way out
        while (answer.Code != ExitCode.Done && DateTime.UtcNow < deadline);
        Assert.Equal(ExitCode.Done, answer.Code);
        Assert.False(_node.Running.IsCompleted);
    }

    private async Task<(int, string)> WaitedAsync(string topic)
    {
        var (code, output, _) = await _node.CommandAsync("sub", "-t", topic, "-W", "0.3");
        return (code, output);
    }
}
