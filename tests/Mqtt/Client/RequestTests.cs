using System.Text;
using EdgeFirmware.Mqtt.Client;

namespace EdgeFirmware.Mqtt.Tests.Client;

public sealed class RequestTests
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_thousand_requests_at_once_each_get_their_own_answer()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        await using var echo = await MqttResponder.StartAsync(await loopback.ConnectAsync("server"), "echo", Echo);
        using var requester = await MqttRequester.StartAsync(await loopback.ConnectAsync("client"));
        var all = Enumerable.Range(0, 1000).Select(i => requester.RequestAsync(Messages.Message("echo", $"{i}"), Long)).ToArray();
        var answers = await Within.Reason(Task.WhenAll(all));
        Assert.Equal(Enumerable.Range(0, 1000).Select(i => $"{i}!"), answers.Select(answer => answer.Response!.Text()));
        Assert.Equal(0, requester.DroppedAnswers);
    }

    [Fact]
    public async Task Where_nobody_listens_the_request_ends_at_once()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var requester = await MqttRequester.StartAsync(await loopback.ConnectAsync("client"));
        Assert.True((await Within.Reason(requester.RequestAsync(Messages.Message("nobody"), Long))).NobodyListens);
    }

    [Fact]
    public async Task An_answer_that_comes_after_the_time_out_is_dropped_and_the_next_request_is_not_confused()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        var gate = new TaskCompletionSource();
        await using var slow = await MqttResponder.StartAsync(await loopback.ConnectAsync("server"), "slow", async (request, _) =>
        {
            if (request.Text() == "late") await gate.Task;
            return request;
        });
        var time = new ManualTime();
        using var requester = await MqttRequester.StartAsync(await loopback.ConnectAsync("client", options => options.TimeProvider = time));
        var late = requester.RequestAsync(Messages.Message("slow", "late"), TimeSpan.FromSeconds(5));
        Assert.Equal("quick", (await Within.Reason(requester.RequestAsync(Messages.Message("slow", "quick"), Long))).Response!.Text());
        time.AdvanceSeconds(6);
        await Assert.ThrowsAsync<TimeoutException>(() => Within.Reason(late));
        gate.SetResult();
        await Within.Until(() => requester.DroppedAnswers == 1, "the late answer was dropped");
    }

    [Fact]
    public async Task A_cancelled_request_ends_and_a_lost_client_ends_all()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        await using var silent = await MqttResponder.StartAsync(await loopback.ConnectAsync("server"), "silent", (_, _) => default);
        var client = await loopback.ConnectAsync("client");
        using var requester = await MqttRequester.StartAsync(client);
        using var cancel = new CancellationTokenSource();
        var cancelled = requester.RequestAsync(Messages.Message("silent"), Long, cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Within.Reason(cancelled));
        await Assert.ThrowsAsync<ArgumentException>(() => MqttRequester.StartAsync(client, "not/#/a topic"));
    }

    [Fact]
    public async Task A_request_made_while_the_broker_is_away_is_answered_when_it_is_back()
    {
        var loopback = await LoopbackBroker.StartAsync();
        var port = loopback.Port;
        static void Patient(MqttClientOptions options) => (options.Reconnect, options.ReconnectDelay) = (true, TimeSpan.FromMilliseconds(20));
        await using var one = new MqttClient(Configured("server"));
        await using var other = new MqttClient(Configured("client"));
        await one.ConnectAsync();
        await other.ConnectAsync();
        await using var echo = await MqttResponder.StartAsync(one, "echo", Echo);
        using var requester = await MqttRequester.StartAsync(other);
        await loopback.DisposeAsync();
        await Within.Until(() => !other.IsConnected, "noticed");
        await using var broker = await EdgeFirmware.Mqtt.Broker.MqttBroker.StartAsync(
            new(), EdgeFirmware.Mqtt.Broker.BrokerEndpoint.Tcp(System.Net.IPAddress.Loopback, port));
        await Within.Until(() => broker.Statistics.Subscriptions == 2, "both have subscribed again");
        Assert.Equal("hello!", (await Within.Reason(requester.RequestAsync(Messages.Message("echo", "hello"), Long))).Response!.Text());

        MqttClientOptions Configured(string clientId)
        {
            var options = new MqttClientOptions { Server = loopback.Address, ClientId = clientId };
            Patient(options);
            return options;
        }
    }

    private static ValueTask<MqttMessage?> Echo(MqttMessage request, CancellationToken cancellation) =>
        ValueTask.FromResult<MqttMessage?>(request with { Payload = Encoding.UTF8.GetBytes($"{request.Text()}!") });
}
