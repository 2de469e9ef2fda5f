using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Durability;
using EdgeFirmware.Mqtt.Packets;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Mqtt.Tests.Durability;

public sealed class RestartTests
{
    [Fact]
    public async Task A_retained_message_is_there_after_the_plug_was_pulled_with_everything_it_carried()
    {
        await using var durable = await DurableBroker.StartAsync();
        var (publisher, _) = await durable.ConnectAsync("p", expirySeconds: 0);
        var message = new MqttMessage
        {
            Topic = "a/b", Payload = "x"u8.ToArray(), QoS = QoS.AtLeastOnce, Retain = true, ContentType = "text", ResponseTopic = "r",
            CorrelationData = new byte[] { 1, 2 }, PayloadFormat = 1, UserProperties = [new("k", "1"), new("k", "2")],
        };
        await PublishAsync(publisher, message, 1);
        await PublishAsync(publisher, Messages.Message("gone", "x", QoS.AtLeastOnce, retain: true), 2);
        await PublishAsync(publisher, Messages.Message("gone", string.Empty, QoS.AtLeastOnce, retain: true), 3);
        await durable.PullThePlugAsync();

        var (subscriber, _) = await durable.ConnectAsync("s", expirySeconds: 0);
        await subscriber.SubscribeAsync("#", QoS.AtLeastOnce);
        var got = (await subscriber.ReceiveAsync<PublishPacket>()).Message;
        Assert.Equal(1, durable.Broker.Statistics.RetainedMessages);
        Assert.Equal(("a/b", "x", "text", "r"), (got.Topic, got.Text(), got.ContentType, got.ResponseTopic));
        Assert.Equal([new("k", "1"), new("k", "2")], got.UserProperties);
        Assert.Equal([1, 2], got.CorrelationData!.Value.ToArray());
    }

    [Fact]
    public async Task What_the_host_tells_anew_after_each_start_is_not_written()
    {
        var isToldAnew = false;
        await using var durable = await DurableBroker.StartAsync(options => options.IsToldAnew = topic => isToldAnew && topic.StartsWith("now/", StringComparison.Ordinal));
        durable.Broker.Publish(Messages.Message("now/old", "x", QoS.AtMostOnce, retain: true));
        await durable.RestartAsync(() => isToldAnew = true);
        Assert.Equal(1, durable.Broker.Statistics.RetainedMessages);

        durable.Broker.Publish(Messages.Message("now/old", string.Empty, QoS.AtMostOnce, retain: true));
        durable.Broker.Publish(Messages.Message("now/new", "x", QoS.AtMostOnce, retain: true));
        durable.Broker.Publish(Messages.Message("kept", "x", QoS.AtMostOnce, retain: true));
        Assert.Equal(2, durable.Broker.Statistics.RetainedMessages);
        await durable.RestartAsync();
        var kept = new List<string>();
        using (durable.Broker.Subscribe("#", message => kept.Add(message.Topic)))
            Assert.Equal(["kept"], kept);
    }

    [Fact]
    public async Task A_second_broker_leaves_the_files_of_the_first_alone_and_says_that_it_keeps_nothing()
    {
        await using var durable = await DurableBroker.StartAsync();
        var (publisher, _) = await durable.ConnectAsync("p");
        await PublishAsync(publisher, Messages.Message("a", "x", QoS.AtLeastOnce, retain: true), 1);
        var log = new RememberingLog();
        await using (var second = new MqttBroker(new BrokerOptions { Durability = new DurabilityOptions { Directory = durable.Files }, Logger = log })) await second.Restored;
        Assert.Contains(log.Of(LogLevel.Error), line => line.Contains("will not outlive", StringComparison.Ordinal));
        Assert.Single(Directory.GetDirectories(Path.GetDirectoryName(durable.Files)!));
        await durable.PullThePlugAsync();
        Assert.Equal(1, durable.Broker.Statistics.RetainedMessages);
    }

    [Fact]
    public async Task Queued_messages_come_once_each_in_order_after_the_plug_was_pulled()
    {
        await using var durable = await DurableBroker.StartAsync();
        var (subscriber, _) = await durable.ConnectAsync("s");
        await subscriber.SubscribeAsync("q/#", new SubscriptionOptions(QoS.ExactlyOnce), identifier: 7);
        subscriber.Dispose();
        await Within.Until(() => !durable.Broker.Clients.Single(client => client.ClientId == "s").Connected, "away");
        var (publisher, _) = await durable.ConnectAsync("p");
        for (var i = 1; i <= 20; i++) await PublishAsync(publisher, Messages.Message("q/x", $"{i}", (QoS)(1 + (i % 2))), (ushort)i);
        await durable.PullThePlugAsync();

        (subscriber, var present) = await durable.ConnectAsync("s");
        Assert.True(present);
        for (var i = 1; i <= 20; i++)
        {
            var got = await subscriber.ReceiveAsync<PublishPacket>();
            Assert.Equal(($"{i}", false, (QoS)(1 + (i % 2))), (got.Message.Text(), got.Duplicate, got.Message.QoS));
            Assert.Equal([7u], got.Properties.SubscriptionIds!);
        }
    }

    [Fact]
    public async Task A_PUBREL_repeated_after_the_plug_was_pulled_is_no_error()
    {
        await using var durable = await DurableBroker.StartAsync();
        var (publisher, _) = await durable.ConnectAsync("p");
        await publisher.SendAsync(new PublishPacket { Message = Messages.Message("a", "x", QoS.ExactlyOnce), PacketId = 1 });
        await publisher.ReceiveAckAsync(PacketType.PubRec);
        var release = new AckPacket(PacketType.PubRel) { PacketId = 1 };
        await publisher.SendAsync(release);
        await publisher.ReceiveAckAsync(PacketType.PubComp);
        await durable.PullThePlugAsync();

        (publisher, _) = await durable.ConnectAsync("p");
        await publisher.SendAsync(release);
        Assert.Equal(ReasonCode.Success, (await publisher.ReceiveAckAsync(PacketType.PubComp)).Reason);
    }

    [Fact]
    public async Task Messages_in_flight_keep_their_packet_ids_and_go_on_where_they_were()
    {
        await using var durable = await DurableBroker.StartAsync();
        var (subscriber, _) = await durable.ConnectAsync("s");
        await subscriber.SubscribeAsync("a", QoS.ExactlyOnce);
        foreach (var (text, qos) in new[] { ("one", QoS.AtLeastOnce), ("two", QoS.ExactlyOnce), ("three", QoS.ExactlyOnce), ("four", QoS.AtLeastOnce) })
            durable.Broker.Publish(Messages.Message("a", text, qos));
        var ids = new Dictionary<string, ushort>();
        for (var i = 0; i < 4; i++)
        {
            var got = await subscriber.ReceiveAsync<PublishPacket>();
            ids[got.Message.Text()] = got.PacketId;
        }

        await subscriber.SendAsync(Messages.Ack(PacketType.PubAck, ids["four"]), Messages.Ack(PacketType.PubRec, ids["two"]));
        Assert.Equal(ids["two"], (await subscriber.ReceiveAckAsync(PacketType.PubRel)).PacketId);
        await durable.PullThePlugAsync();

        (subscriber, _) = await durable.ConnectAsync("s");
        Assert.Equal(ids["two"], (await subscriber.ReceiveAckAsync(PacketType.PubRel)).PacketId);
        var one = await subscriber.ReceiveAsync<PublishPacket>();
        Assert.Equal(("one", ids["one"], true), (one.Message.Text(), one.PacketId, one.Duplicate));
        var three = await subscriber.ReceiveAsync<PublishPacket>();
        Assert.Equal(("three", ids["three"], true), (three.Message.Text(), three.PacketId, three.Duplicate));
    }

    [Fact]
    public async Task A_QoS_2_message_that_was_received_is_not_routed_again_when_its_sender_repeats_it()
    {
        await using var durable = await DurableBroker.StartAsync();
        var (subscriber, _) = await durable.ConnectAsync("s");
        await subscriber.SubscribeAsync("a", QoS.AtLeastOnce);
        subscriber.Dispose();
        var (publisher, _) = await durable.ConnectAsync("p");
        await publisher.SendAsync(Messages.Publish(Messages.Message("a", "once", QoS.ExactlyOnce), 5));
        await publisher.ReceiveAckAsync(PacketType.PubRec);
        await durable.PullThePlugAsync();

        (publisher, var present) = await durable.ConnectAsync("p");
        Assert.True(present);
        await publisher.SendAsync(Messages.Publish(Messages.Message("a", "once", QoS.ExactlyOnce), 5, duplicate: true));
        Assert.Equal(ReasonCode.Success, (await publisher.ReceiveAckAsync(PacketType.PubRec)).Reason);
        await publisher.SendAsync(Messages.Ack(PacketType.PubRel, 5));
        Assert.Equal(ReasonCode.Success, (await publisher.ReceiveAckAsync(PacketType.PubComp)).Reason);
        await publisher.SendAsync(Messages.Publish(Messages.Message("a", "new", QoS.ExactlyOnce), 5));
        await publisher.ReceiveAckAsync(PacketType.PubRec);
        await durable.PullThePlugAsync();

        (subscriber, _) = await durable.ConnectAsync("s");
        Assert.Equal("once", (await subscriber.ReceiveAsync<PublishPacket>()).Message.Text());
        Assert.Equal("new", (await subscriber.ReceiveAsync<PublishPacket>()).Message.Text());
        Assert.Equal(2, durable.Broker.Clients.Single(client => client.ClientId == "s").InFlight);
    }

    [Fact]
    public async Task The_will_of_a_client_that_was_connected_goes_out_after_the_restart()
    {
        await using var durable = await DurableBroker.StartAsync();
        var (_, _) = await durable.ConnectAsync("gone", will: new LastWill(Messages.Message("w", "bye", QoS.AtLeastOnce, retain: true)));
        await durable.PullThePlugAsync();
        await Within.Until(() => durable.Broker.Statistics is { RetainedMessages: 1, DiskCommits: > 0 }, "the will is published");
        await durable.PullThePlugAsync();
        Assert.Equal(1, durable.Broker.Statistics.RetainedMessages);
    }

    [Fact]
    public async Task Sessions_that_ended_and_subscriptions_that_were_given_up_stay_away()
    {
        await using var durable = await DurableBroker.StartAsync();
        var (one, _) = await durable.ConnectAsync("one");
        await one.SubscribeAsync("a", QoS.AtLeastOnce);
        await one.SubscribeAsync("b", QoS.AtLeastOnce);
        await one.SendAsync(new UnsubscribePacket { PacketId = 3, Filters = ["a"] });
        await one.ReceiveAsync<SubAckPacket>();
        var (two, _) = await durable.ConnectAsync("two");
        two.Dispose();
        (two, _) = await durable.ConnectAsync("two", expirySeconds: 0, cleanStart: true);
        await durable.PullThePlugAsync();
        var client = Assert.Single(durable.Broker.Clients);
        Assert.Equal(("one", 1), (client.ClientId, client.Subscriptions));
    }

    [Fact]
    public async Task What_concerns_nobody_durable_is_not_written()
    {
        await using var durable = await DurableBroker.StartAsync();
        var (subscriber, _) = await durable.ConnectAsync("s", expirySeconds: 0);
        await subscriber.SubscribeAsync("a", QoS.ExactlyOnce);
        var (publisher, _) = await durable.ConnectAsync("p", expirySeconds: 0);
        for (var i = 1; i <= 20; i++) await PublishAsync(publisher, Messages.Message("a", "x", QoS.AtLeastOnce), (ushort)i);
        Assert.Equal(0, durable.Broker.Statistics.DiskCommits);
    }

    [Fact]
    public async Task Space_comes_back_once_a_queue_is_drained()
    {
        await using var durable = await DurableBroker.StartAsync();
        var (subscriber, _) = await durable.ConnectAsync("s");
        await subscriber.SubscribeAsync("a", QoS.AtLeastOnce);
        subscriber.Dispose();
        await Within.Until(() => !durable.Broker.Clients[0].Connected, "away");
        for (var i = 0; i < 7; i++) durable.Broker.Publish(new MqttMessage { Topic = "a", QoS = QoS.AtLeastOnce, Payload = new byte[1 << 20] });
        await Within.Until(() => durable.Broker.Statistics.DiskBytes > 7 << 20, "written");
        (subscriber, _) = await durable.ConnectAsync("s");
        for (var i = 0; i < 7; i++) await subscriber.SendAsync(Messages.Ack(PacketType.PubAck, (await subscriber.ReceiveAsync<PublishPacket>()).PacketId));
        await subscriber.SubscribeAsync("a", QoS.AtLeastOnce); // answered when all that came before it is on disk
        await Within.Until(() => durable.Broker.Statistics.DiskBytes <= 3 * Segment.AllocatedBytes, "given back");
        await durable.PullThePlugAsync();
        Assert.Equal((0, 0, 1), (durable.Broker.Clients[0].InFlight, durable.Broker.Clients[0].QueuedMessages, durable.Broker.Clients[0].Subscriptions));
    }

    [Fact]
    public async Task At_the_bound_publishers_are_refused_and_served_again_once_there_is_space()
    {
        await using var durable = await DurableBroker.StartAsync(options =>
        {
            options.Durability!.DiskBytesMax = DurabilityOptions.DiskBytesMin;
            options.Limits.QueuedBytesMax = 64 << 20;
        });
        var (subscriber, _) = await durable.ConnectAsync("s");
        await subscriber.SubscribeAsync("a", QoS.AtLeastOnce);
        subscriber.Dispose();
        var (publisher, _) = await durable.ConnectAsync("p", expirySeconds: 0);
        var accepted = 0;
        var reason = ReasonCode.Success;
        for (var i = 1; i < 1000 && reason != ReasonCode.QuotaExceeded; i++)
        {
            await publisher.SendAsync(Messages.Publish(new MqttMessage { Topic = "a", QoS = QoS.AtLeastOnce, Payload = new byte[100_000] }, (ushort)i));
            reason = (await publisher.ReceiveAckAsync(PacketType.PubAck)).Reason;
            if (!reason.IsFailure()) accepted++;
        }

        Assert.Equal(ReasonCode.QuotaExceeded, reason);
        Assert.InRange(accepted, 20, 60);
        Assert.True(durable.Broker.Statistics.DiskBytes <= DurabilityOptions.DiskBytesMin);
        var (old, _) = (await RawClient.ConnectAsync(durable.Address, "old", ProtocolVersion.V311), 0);
        await old.SendAsync(Messages.Publish(Messages.Message("a", "x", QoS.AtLeastOnce), 1));
        Assert.Null(await old.ReceiveAsync());
        await durable.PullThePlugAsync();

        (subscriber, _) = await durable.ConnectAsync("s");
        for (var i = 0; i < accepted; i++) await subscriber.SendAsync(Messages.Ack(PacketType.PubAck, (await subscriber.ReceiveAsync<PublishPacket>()).PacketId));
        await Within.Until(() => !durable.Broker.Statistics.DiskIsFull, "room again");
        (publisher, _) = await durable.ConnectAsync("p", expirySeconds: 0);
        await PublishAsync(publisher, Messages.Message("a", "again", QoS.AtLeastOnce), 1);
    }

    [Fact]
    public async Task A_store_that_cannot_be_read_is_set_aside_and_said_loudly()
    {
        await using var durable = await DurableBroker.StartAsync();
        await durable.RestartAsync(() =>
        {
            Directory.Delete(durable.Files, recursive: true);
            File.WriteAllText(durable.Files, "not a directory");
        });
        Assert.Contains(durable.Log.Of(LogLevel.Error), line => line.Contains("set aside", StringComparison.Ordinal));
        var (_, present) = await durable.ConnectAsync("s");
        Assert.False(present);
        await durable.PullThePlugAsync();
        Assert.Single(durable.Broker.Clients);
    }

    [Fact]
    public async Task An_orderly_stop_keeps_everything_too()
    {
        await using var durable = await DurableBroker.StartAsync();
        var (subscriber, _) = await durable.ConnectAsync("s");
        await subscriber.SubscribeAsync("a", QoS.AtLeastOnce);
        durable.Broker.Publish(Messages.Message("a", "x", QoS.AtLeastOnce));
        await subscriber.ReceiveAsync<PublishPacket>();
        await durable.RestartAsync();
        (subscriber, var present) = await durable.ConnectAsync("s");
        Assert.True(present);
        Assert.True((await subscriber.ReceiveAsync<PublishPacket>()).Duplicate);
    }

    [Fact]
    public async Task After_any_history_the_broker_that_starts_again_is_the_broker_that_was_cut_off()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        await using var durable = await DurableBroker.StartAsync();
        var clients = new Dictionary<string, RawClient>();
        for (var step = 0; step < 300; step++)
        {
            var name = $"c{random.Next(4)}";
            if (!clients.TryGetValue(name, out var client)) (client, _) = await durable.ConnectAsync(name, cleanStart: random.Next(10) == 0);
            clients[name] = client;
            switch (random.Next(7))
            {
                case 0:
                    // One client's deliveries are not asked for by the test, so answers would be hard to find among them: it reads nothing else.
                    clients.Remove(name);
                    client.Dispose();
                    await Within.Until(() => !durable.Broker.Clients.Single(one => one.ClientId == name).Connected, "away");
                    break;
                case 1:
                    clients.Remove(name);
                    client.Dispose();
                    (client, _) = await durable.ConnectAsync(name);
                    await client.SendAsync(new SubscribePacket
                    {
                        PacketId = 1, Entries = [new($"t/{random.Next(3)}", new((QoS)random.Next(1, 3))), new("$share/g/t/#", new(QoS.AtLeastOnce))],
                    });
                    await UntilAsync<SubAckPacket>(client);
                    clients[name] = client;
                    break;
                case 2:
                    await client.SendAsync(new UnsubscribePacket { PacketId = 2, Filters = [$"t/{random.Next(3)}"] });
                    await UntilAsync<SubAckPacket>(client);
                    break;
                case 3:
                    await client.SendAsync(PingPacket.Request);
                    await AcknowledgeUntilPingAsync(client, random);
                    break;
                case 4 when step % 20 == 0:
                    foreach (var one in clients.Values) one.Dispose();
                    clients.Clear();
                    await Within.Until(() => durable.Broker.Clients.All(one => !one.Connected), "all away");
                    break;
                default:
                    var (publisher, _) = await durable.ConnectAsync("publisher", expirySeconds: 0);
                    var message = Messages.Message($"t/{random.Next(3)}", $"{step}", QoS.AtLeastOnce, retain: random.Next(3) == 0);
                    await PublishAsync(publisher, message, 1);
                    await publisher.SendAsync(new ReasonPacket(PacketType.Disconnect));
                    publisher.Dispose();
                    break;
            }

            if (step % 30 != 29) continue;
            foreach (var one in clients.Values) one.Dispose();
            clients.Clear();
            // A commit after everything else, so that what has no answer is in the copy as well.
            var (marker, _) = await durable.ConnectAsync("marker");
            marker.Dispose();
            await Within.Until(() => durable.Broker.Clients.All(one => !one.Connected), "all away");
            (marker, _) = await durable.ConnectAsync("marker");
            var before = Describe(durable);
            await durable.PullThePlugAsync();
            Assert.True(before == Describe(durable), $"seed {seed}, step {step}:\n{before}\n-\n{Describe(durable)}");
        }
    }

    private static string Describe(DurableBroker durable) =>
        $"{durable.Broker.Statistics.RetainedMessages} retained\n" + string.Join("\n", durable.Broker.Clients.OrderBy(client => client.ClientId, StringComparer.Ordinal)
            .Where(client => client.ClientId is not ("publisher"))
            .Select(client => $"{client.ClientId}: {client.Subscriptions} {client.InFlight} {client.QueuedMessages} {client.QueuedBytes}"));

    private static async Task UntilAsync<T>(RawClient client)
        where T : Packet
    {
        while (await client.ReceiveAsync() is not T) { }
    }

    private static async Task AcknowledgeUntilPingAsync(RawClient client, Random random)
    {
        while (await client.ReceiveAsync() is { } packet and not PingPacket)
        {
            if (packet is PublishPacket { PacketId: > 0 } publish && random.Next(2) == 0)
                await client.SendAsync(Messages.Ack(publish.Message.QoS == QoS.AtLeastOnce ? PacketType.PubAck : PacketType.PubRec, publish.PacketId));
            if (packet is AckPacket { Type: PacketType.PubRel } release && random.Next(2) == 0)
                await client.SendAsync(Messages.Ack(PacketType.PubComp, release.PacketId));
        }
    }

    private static async Task PublishAsync(RawClient publisher, MqttMessage message, ushort packetId)
    {
        await publisher.SendAsync(Messages.Publish(message, packetId));
        if (message.QoS == QoS.AtLeastOnce)
        {
            Assert.False((await publisher.ReceiveAckAsync(PacketType.PubAck)).Reason.IsFailure());
            return;
        }

        Assert.False((await publisher.ReceiveAckAsync(PacketType.PubRec)).Reason.IsFailure());
        await publisher.SendAsync(Messages.Ack(PacketType.PubRel, packetId));
        await publisher.ReceiveAckAsync(PacketType.PubComp);
    }
}
