using System.Net;
using EdgeFirmware.Mqtt.Client;
using EdgeFirmware.Mqtt.Durability;
using EdgeFirmware.Mqtt.Packets;
using EdgeFirmware.Mqtt.Tests.Durability;

namespace EdgeFirmware.Mqtt.Tests.Client;

public sealed class DurableClientTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("edge-client-").FullName;
    private readonly RememberingLog _log = new();

    [Fact]
    public async Task What_was_enqueued_without_a_broker_outlives_the_process_and_is_sent_once_each_in_order()
    {
        var nowhere = new IPEndPoint(IPAddress.Loopback, 1);
        await using (var first = Start("1", nowhere))
        {
            for (var i = 0; i < 50; i++) Assert.Equal(ReasonCode.Success, await Within.Reason(first.EnqueueAsync(Messages.Message("t", $"{i}", (QoS)(1 + (i % 2))))));
            PullThePlug("1", "2");
        }

        await using var loopback = await LoopbackBroker.StartAsync();
        var subscriber = await loopback.ConnectAsync("s");
        await subscriber.SubscribeAsync("t", QoS.ExactlyOnce);
        await using var second = Start("2", loopback.Address);
        for (var i = 0; i < 50; i++) Assert.Equal($"{i}", (await Within.Reason(subscriber.ReceiveAsync())).Message.Text());
        await Within.Until(() => second.UnacknowledgedMessages == 0, "acknowledged");
    }

    [Fact]
    public async Task Exactly_once_holds_when_the_process_dies_between_any_two_packets()
    {
        using var listener = new StandIn();
        await using (var first = Start("1", listener.Address))
        {
            var broker = await listener.AcceptAsync(sessionPresent: false);
            foreach (var text in (string[])["unanswered", "received", "released"]) await first.EnqueueAsync(Messages.Message("t", text, QoS.ExactlyOnce));
            var ids = new Dictionary<string, ushort>();
            for (var i = 0; i < 3; i++)
            {
                var publish = await broker.ReceiveAsync<PublishPacket>();
                ids[publish.Message.Text()] = publish.PacketId;
            }

            await broker.SendAsync(Messages.Ack(PacketType.PubRec, ids["released"]));
            Assert.Equal(ids["released"], (await broker.ReceiveAckAsync(PacketType.PubRel)).PacketId);
            PullThePlug("1", "2");

            await using var second = Start("2", listener.Address);
            broker = await listener.AcceptAsync(sessionPresent: true);
            // The broker has it already, so only PUBREL may be repeated.
            Assert.Equal(ids["released"], (await broker.ReceiveAckAsync(PacketType.PubRel)).PacketId);
            for (var i = 0; i < 2; i++)
            {
                var again = await broker.ReceiveAsync<PublishPacket>();
                Assert.Equal((ids[again.Message.Text()], true), (again.PacketId, again.Duplicate));
            }
        }
    }

    [Fact]
    public async Task When_the_broker_has_lost_the_session_what_was_in_flight_goes_out_anew_also_after_a_second_death()
    {
        using var listener = new StandIn();
        await using var first = Start("1", listener.Address);
        var broker = await listener.AcceptAsync(sessionPresent: false);
        foreach (var text in (string[])["a", "b"]) await first.EnqueueAsync(Messages.Message("t", text, QoS.AtLeastOnce));
        for (var i = 0; i < 2; i++) await broker.ReceiveAsync<PublishPacket>();
        PullThePlug("1", "2");

        await using var second = Start("2", listener.Address);
        broker = await listener.AcceptAsync(sessionPresent: false, receiveMaximum: 1);
        var anew = await broker.ReceiveAsync<PublishPacket>();
        Assert.Equal(("a", false), (anew.Message.Text(), anew.Duplicate));
        await second.EnqueueAsync(Messages.Message("t", "c", QoS.AtLeastOnce));
        PullThePlug("2", "3");

        await using var third = Start("3", listener.Address);
        broker = await listener.AcceptAsync(sessionPresent: true);
        for (var i = 0; i < 3; i++) Assert.Equal("abc"[i..(i + 1)], (await broker.ReceiveAsync<PublishPacket>()).Message.Text());
    }

    [Fact]
    public async Task A_QoS_2_message_to_the_application_is_not_shown_again_after_its_PUBREC_was_on_its_way()
    {
        using var listener = new StandIn();
        await using (var first = Start("1", listener.Address))
        {
            var broker = await listener.AcceptAsync(sessionPresent: false);
            await broker.SendAsync(Messages.Publish(Messages.Message("t", "once", QoS.ExactlyOnce), 9));
            Assert.Equal("once", (await Within.Reason(first.ReceiveAsync())).Message.Text());
            await broker.ReceiveAckAsync(PacketType.PubRec);
            PullThePlug("1", "2");
        }

        await using var second = Start("2", listener.Address);
        var again = await listener.AcceptAsync(sessionPresent: true);
        await again.SendAsync(Messages.Publish(Messages.Message("t", "once", QoS.ExactlyOnce), 9, duplicate: true));
        Assert.Equal((ushort)9, (await again.ReceiveAckAsync(PacketType.PubRec)).PacketId);
        Assert.Null(second.TryReceive());
    }

    [Fact]
    public async Task A_backlog_gives_its_disk_back_when_it_has_drained()
    {
        await using var client = Start("1", new IPEndPoint(IPAddress.Loopback, 1), options => (options.QueuedMessagesMax, options.QueuedBytesMax) = (50_000, 1 << 30));
        var payload = new string('x', 1000);
        await Within.Reason(Task.WhenAll(Enumerable.Range(0, 20_000).Select(_ => client.EnqueueAsync(Messages.Message("t", payload, QoS.AtLeastOnce)))));
        Assert.True(client.DiskBytes > 20_000_000);
        await client.DisposeAsync();

        await using var loopback = await LoopbackBroker.StartAsync();
        await using var again = Start("1", loopback.Address);
        await Within.Until(() => loopback.Broker.Statistics.MessagesIn == 20_000 && again.UnacknowledgedMessages == 0, "drained");
        await Within.Until(() => again.DiskBytes <= 4 * Segment.AllocatedBytes, "given back");
    }

    [Fact]
    public async Task A_full_queue_refuses_or_lets_wait_and_who_waits_can_be_cancelled()
    {
        var nowhere = new IPEndPoint(IPAddress.Loopback, 1);
        await using var refusing = Start("1", nowhere, options => options.QueuedMessagesMax = 2);
        for (var i = 0; i < 2; i++) Assert.Equal(ReasonCode.Success, await Within.Reason(refusing.EnqueueAsync(Messages.Message("t", "x", QoS.AtLeastOnce))));
        Assert.Equal(ReasonCode.QuotaExceeded, await Within.Reason(refusing.EnqueueAsync(Messages.Message("t", "x", QoS.AtLeastOnce))));
        await refusing.DisposeAsync();

        await using var loopback = await LoopbackBroker.StartAsync();
        await using var waiting = Start("2", nowhere, options => (options.QueuedMessagesMax, options.WhenQueueIsFull) = (2, FullQueue.Wait));
        for (var i = 0; i < 2; i++) await Within.Reason(waiting.EnqueueAsync(Messages.Message("t", "x", QoS.AtLeastOnce)));
        using var cancel = new CancellationTokenSource();
        var third = waiting.EnqueueAsync(Messages.Message("t", "never", QoS.AtLeastOnce), cancel.Token);
        var fourth = waiting.PublishAsync(Messages.Message("t", "y", QoS.AtLeastOnce));
        Assert.False(third.IsCompleted || fourth.IsCompleted);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Within.Reason(third));
        Assert.Equal(2, waiting.UnacknowledgedMessages);
        await waiting.DisposeAsync();
        await Assert.ThrowsAsync<MqttException>(() => Within.Reason(fourth));
    }

    [Fact]
    public async Task Publishers_who_wait_for_room_get_in_one_after_the_other_as_the_broker_acknowledges()
    {
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Limits.ReceiveMax = 4);
        var subscriber = await loopback.ConnectAsync("s");
        await subscriber.SubscribeAsync("t", QoS.AtLeastOnce);
        var client = await loopback.ConnectAsync("p", options => (options.QueuedMessagesMax, options.WhenQueueIsFull) = (2, FullQueue.Wait));
        var all = Enumerable.Range(0, 500).Select(i => client.PublishAsync(Messages.Message("t", $"{i}", QoS.AtLeastOnce))).ToArray();
        Assert.All(await Within.Reason(Task.WhenAll(all)), reason => Assert.Equal(ReasonCode.Success, reason));
        for (var i = 0; i < 500; i++) Assert.Equal($"{i}", (await Within.Reason(subscriber.ReceiveAsync())).Message.Text());
    }

    [Fact]
    public async Task A_subscription_made_before_the_broker_is_there_is_made_when_it_comes()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        await using var client = Start("1", loopback.Address);
        Assert.Equal(ReasonCode.GrantedQoS1, await Within.Reason(client.SubscribeAsync("t")));
        loopback.Broker.Publish(Messages.Message("t", "hello"));
        Assert.Equal("hello", (await Within.Reason(client.ReceiveAsync())).Message.Text());
    }

    [Fact]
    public async Task What_the_broker_refuses_later_is_told_and_does_not_block_the_rest()
    {
        var lost = new List<(string, ReasonCode)>();
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Limits.PacketBytesMax = 10_000);
        var subscriber = await loopback.ConnectAsync("s");
        await subscriber.SubscribeAsync("t");
        await using var client = Start("1", new IPEndPoint(IPAddress.Loopback, 1), options => options.Undeliverable = (message, reason) => lost.Add((message.Topic, reason)));
        await client.EnqueueAsync(Messages.Message("big", new string('x', 20_000), QoS.AtLeastOnce));
        await client.EnqueueAsync(Messages.Message("$SYS/mine", "x", QoS.AtLeastOnce));
        await client.EnqueueAsync(Messages.Message("t", "fits", QoS.AtLeastOnce));
        await client.DisposeAsync();
        await using var again = Start("1", loopback.Address);
        Assert.Equal("fits", (await Within.Reason(subscriber.ReceiveAsync())).Message.Text());
        await Within.Until(() => _log.Of(Microsoft.Extensions.Logging.LogLevel.Warning).Count == 2, "both are in the log");
        Assert.Contains("big", _log.Of(Microsoft.Extensions.Logging.LogLevel.Warning)[0]);
        Assert.Contains("PacketTooLarge", _log.Of(Microsoft.Extensions.Logging.LogLevel.Warning)[0]);
        Assert.Contains("NotAuthorized", _log.Of(Microsoft.Extensions.Logging.LogLevel.Warning)[1]);

        again.Options.Undeliverable = (message, reason) => lost.Add((message.Topic, reason));
        // The refusal may be faster than the disk; then it is the answer.
        var answer = await again.EnqueueAsync(Messages.Message("$SYS/mine", "x", QoS.AtLeastOnce));
        if (answer != ReasonCode.Success) lost.Add(("$SYS/mine", answer));
        await Within.Until(() => lost.Count == 1, "told");
        Assert.Equal(("$SYS/mine", ReasonCode.NotAuthorized), lost[0]);
    }

    [Fact]
    public void One_directory_serves_one_client_and_a_client_needs_an_id()
    {
        Assert.Throws<ArgumentException>(() => new MqttClient(new() { Durability = new() { Directory = _root } }));
        using var holder = new FileStream(Path.Combine(Directory.CreateDirectory(Path.Combine(_root, "1")).FullName, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        Assert.Throws<MqttException>(() => Start("1", new IPEndPoint(IPAddress.Loopback, 1)));
        Assert.True(Directory.Exists(Path.Combine(_root, "1")));
    }

    [Fact]
    public async Task An_application_uses_a_device_channel()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        void Here(MqttClientOptions options) => options.Server = loopback.Address;
        await using var one = await Within.Reason(DeviceChannel.ConnectAsync("one/02:00:00:00:00:01", "work", options =>
        {
            options.Server = loopback.Address;
            options.Durability = new() { Directory = Path.Combine(_root, "channel") };
        }));
        await using var other = await Within.Reason(DeviceChannel.ConnectAsync("other/02:00:00:00:00:02", "work", Here));
        var path = Path.Combine(_root, "file");
        await File.WriteAllTextAsync(path, "content");
        Assert.Equal(ReasonCode.Success, await Within.Reason(one.SendAsync(await one.GetMessageAsync(path))));
        Assert.Equal("content", (await Within.Reason(other.ReceiveSingleAsync())).Text());
        await one.SendAsync(one.GetMessage("a"));
        await one.SendAsync(one.GetMessage("b"));
        var got = new List<string>();
        await Within.Until(() => { got.AddRange(other.ReceiveQueued().Select(message => message.Text())); return got.Count == 2; }, "queued");
        Assert.Equal(["a", "b"], got);
        Assert.Empty(one.ReceiveQueued());
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private MqttClient Start(string directory, EndPoint server, Action<MqttClientOptions>? configure = null)
    {
        var options = new MqttClientOptions
        {
            Server = server, ClientId = "c", Reconnect = true, ReconnectDelay = TimeSpan.FromMilliseconds(10), Logger = _log,
            Durability = new DurabilityOptions { Directory = Path.Combine(_root, directory) },
        };
        configure?.Invoke(options);
        var client = new MqttClient(options);
        client.Start();
        return client;
    }

    /// <summary>What a killed process would leave.</summary>
    private void PullThePlug(string from, string to) => DurableBroker.CopyFiles(Path.Combine(_root, from), Path.Combine(_root, to));
}
