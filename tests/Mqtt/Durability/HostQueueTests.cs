using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Durability;

/// <summary>A host that takes messages at the tap and keeps them in a queue of the broker's until it has dealt with them.</summary>
public sealed class HostQueueTests
{
    [Fact]
    public async Task What_was_acknowledged_is_in_the_queue_after_the_plug_was_pulled_in_order_and_in_the_same_stream()
    {
        var tap = new KeepingTap();
        await using var durable = await StartAsync(tap);
        var stream = tap.Queue!.Stream;
        var (publisher, _) = await durable.ConnectAsync("p");
        for (var i = 1; i <= 20; i++) await PublishAsync(publisher, $"{i}", (QoS)(1 + (i % 2)), (ushort)i);
        var last = tap.Queue.Kept[^1].Number;
        tap.Pause();
        await durable.PullThePlugAsync();

        var queue = durable.Broker.OpenQueue("kept");
        Assert.Equal(stream, queue.Stream);
        Assert.Equal(Enumerable.Range(1, 20).Select(number => $"{number}"), queue.Kept.Select(kept => kept.Message.Text()));
        Assert.Equal(last, queue.Kept[^1].Number);
        Assert.True(queue.Last >= last);
        long next = 0;
        durable.Broker.Change(() => next = queue.Put(Messages.Message("a", "new", QoS.AtLeastOnce), () => { }));
        Assert.True(next > queue.Kept[^2].Number);
    }

    [Fact]
    public async Task Taking_a_message_out_and_publishing_its_result_are_one_change()
    {
        var tap = new KeepingTap();
        await using var durable = await StartAsync(tap);
        var (subscriber, _) = await durable.ConnectAsync("s");
        await subscriber.SubscribeAsync("result", QoS.ExactlyOnce);
        subscriber.Dispose();
        await Within.Until(() => !durable.Broker.Clients.Single(client => client.ClientId == "s").Connected, "away");
        var (publisher, _) = await durable.ConnectAsync("p");
        await PublishAsync(publisher, "1", QoS.AtLeastOnce, 1);
        var kept = new TaskCompletionSource();
        durable.Broker.Change(
            () =>
            {
                tap.Queue!.Remove(tap.Queue.Kept[0].Number);
                durable.Broker.Publish(Messages.Message("result", "r1", QoS.ExactlyOnce));
            },
            kept.SetResult);
        await Within.Reason(kept.Task);
        tap.Pause();
        await durable.PullThePlugAsync();

        Assert.Empty(durable.Broker.OpenQueue("kept").Kept);
        (subscriber, _) = await durable.ConnectAsync("s");
        Assert.Equal("r1", (await subscriber.ReceiveAsync<PublishPacket>()).Message.Text());
    }

    [Fact]
    public async Task A_QoS_2_message_in_the_queue_is_not_shown_again_when_its_sender_repeats_it_after_the_plug_was_pulled()
    {
        var tap = new KeepingTap { Defers = true };
        await using var durable = await StartAsync(tap);
        var (publisher, _) = await durable.ConnectAsync("p");
        await publisher.SendAsync(Packet("1", QoS.ExactlyOnce, 1));
        await Within.Until(() => tap.KeptOnDisk == 1, "kept");
        tap.Pause();
        await durable.PullThePlugAsync();

        (publisher, var present) = await durable.ConnectAsync("p");
        Assert.True(present);
        await publisher.SendAsync(Packet("1", QoS.ExactlyOnce, 1));
        Assert.Equal(PacketType.PubRec, (await publisher.ReceiveAsync<AckPacket>()).Type);
        Assert.Equal(1, tap.Shown);
        Assert.Single(durable.Broker.OpenQueue("kept").Kept);
    }

    [Fact]
    public async Task QoS_0_gets_numbers_and_is_not_kept_and_a_deleted_queue_is_gone()
    {
        var tap = new KeepingTap();
        await using var durable = await StartAsync(tap);
        durable.Broker.Change(() =>
        {
            var first = tap.Queue!.Put(Messages.Message("a", "x"), () => throw new InvalidOperationException("nothing is kept"));
            Assert.True(tap.Queue.Put(Messages.Message("a", "y"), () => throw new InvalidOperationException("nothing is kept")) > first);
        });
        Assert.Empty(tap.Queue!.Kept);
        var stream = tap.Queue.Stream;
        var (publisher, _) = await durable.ConnectAsync("p");
        await PublishAsync(publisher, "1", QoS.AtLeastOnce, 1);
        durable.Broker.DeleteQueue("kept");
        durable.Broker.OpenQueue("other");
        await durable.RestartAsync();
        Assert.NotEqual(stream, durable.Broker.OpenQueue("kept").Stream);
        Assert.Empty(durable.Broker.OpenQueue("kept").Kept);
    }

    [Fact]
    public async Task A_snapshot_holds_the_queue_and_the_numbers_it_has_given()
    {
        var tap = new KeepingTap();
        await using var durable = await StartAsync(tap);
        var (publisher, _) = await durable.ConnectAsync("p");
        var filler = new string('x', 400_000);
        for (var i = 1; i <= 40; i++)
        {
            await PublishAsync(publisher, $"{i} {filler}", QoS.AtLeastOnce, (ushort)i);
            if (i > 1) durable.Broker.Change(() => tap.Queue!.Remove(tap.Queue.Kept[^1].Number));
        }

        var last = tap.Queue!.Last;
        await durable.RestartAsync();
        Assert.True(Directory.GetFiles(durable.Files, "snap-*").Length == 1);
        var queue = durable.Broker.OpenQueue("kept");
        Assert.StartsWith("1 ", Assert.Single(queue.Kept).Message.Text(), StringComparison.Ordinal);
        Assert.True(queue.Last >= last);
    }

    [Fact]
    public async Task A_tap_that_has_no_room_on_the_disk_refuses()
    {
        var tap = new KeepingTap { Refuses = true };
        await using var durable = await StartAsync(tap);
        var (publisher, _) = await durable.ConnectAsync("p");
        foreach (var qos in new[] { QoS.AtLeastOnce, QoS.ExactlyOnce })
        {
            await publisher.SendAsync(Packet("1", qos, 1));
            Assert.Equal(ReasonCode.QuotaExceeded, (await publisher.ReceiveAsync<AckPacket>()).Reason);
        }
    }

    private static async Task<DurableBroker> StartAsync(KeepingTap tap)
    {
        var durable = await DurableBroker.StartAsync(options => options.Tap = tap);
        tap.Open(durable.Broker);
        return durable;
    }

    private static PublishPacket Packet(string text, QoS qos, ushort id) => new() { Message = Messages.Message("in", text, qos), PacketId = id };

    private static async Task PublishAsync(RawClient client, string text, QoS qos, ushort id)
    {
        await client.SendAsync(Packet(text, qos, id));
        Assert.Equal(ReasonCode.Success, (await client.ReceiveAsync<AckPacket>()).Reason);
        if (qos != QoS.ExactlyOnce) return;
        await client.SendAsync(new AckPacket(PacketType.PubRel) { PacketId = id });
        await client.ReceiveAsync<AckPacket>();
    }

    private sealed class KeepingTap : IBrokerTap
    {
        private int _onDisk;
        private volatile bool _paused;

        public HostQueue? Queue { get; private set; }

        public bool Defers { get; init; }

        public bool Refuses { get; init; }

        public int Shown { get; private set; }

        public int KeptOnDisk => Volatile.Read(ref _onDisk);

        public void Open(MqttBroker broker) => Queue = broker.OpenQueue("kept");

        /// <summary>From here on nothing is put: the next broker has a queue of its own.</summary>
        public void Pause() => _paused = true;

        public TapVerdict OnPublish(ClientInfo publisher, MqttMessage message, PublishHold hold)
        {
            Shown++;
            if (_paused) return TapVerdict.Route;
            if (Refuses) return TapVerdict.Refused;
            if (Defers) hold.Defer();
            hold.With(() =>
            {
                Queue!.Put(message, () => Interlocked.Increment(ref _onDisk));
                hold.Keep();
            });
            return TapVerdict.Route;
        }

        public SubscribeVerdict OnSubscribe(ClientInfo client, string filter, SubscriptionOptions options) => SubscribeVerdict.Normal;

        public void OnUnsubscribe(ClientInfo client, string filter)
        {
        }

        public void OnConnected(ClientInfo client, bool sessionPresent)
        {
        }

        public void OnDisconnected(ClientInfo client, ReasonCode reason)
        {
        }

        public void OnSessionEnded(ClientInfo client)
        {
        }
    }
}
