using System.Net;
using EdgeFirmware.Mqtt.Access;
using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.SensorNet;
using EdgeFirmware.Mqtt.Tests.Access;

namespace EdgeFirmware.Mqtt.Tests.SensorNet;

/// <summary>Sensors on real UDP sockets beside clients of plain MQTT.</summary>
public sealed class SensorNetTests
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task A_sensor_publishes_to_MQTT_clients_and_hears_them(string address)
    {
        await using var site = await SensorBroker.StartAsync(address: IPAddress.Parse(address));
        await using var client = await site.Loopback.ConnectAsync("plain");
        await client.SubscribeAsync("up/#", QoS.ExactlyOnce);
        var sensor = await site.ConnectAsync("c1");
        await sensor.SubscribeAsync("down/+", QoS.ExactlyOnce);

        sensor.Send(SensorPacketType.Register, "up/1", 1);
        var id = (await sensor.ReceiveAsync()).TopicId;
        sensor.Publish(TopicIdType.Normal, id, "zero");
        sensor.Publish(TopicIdType.Normal, id, "one", QoS.AtLeastOnce, 2);
        Assert.Equal($"PubAck t{id} #2", await sensor.HearAsync());
        sensor.Publish(TopicIdType.Normal, id, "two", QoS.ExactlyOnce, 3);
        Assert.Equal("PubRec #3", await sensor.HearAsync());
        sensor.Publish(TopicIdType.Normal, id, "two", QoS.ExactlyOnce, 3, duplicate: true);
        Assert.Equal("PubRec #3", await sensor.HearAsync());
        sensor.Send(new SensorPacket(SensorPacketType.PubRel) { MessageId = 3 });
        Assert.Equal("PubComp #3", await sensor.HearAsync());
        foreach (var expected in (string[])["zero", "one", "two"])
            Assert.Equal(expected, (await Within.Reason(client.ReceiveAsync())).Message.Text());

        await client.PublishAsync(Messages.Message("down/2", "hello", QoS.ExactlyOnce));
        var register = await sensor.ReceiveAsync();
        Assert.Equal((SensorPacketType.Register, "down/2"), (register.Type, register.Text));
        sensor.Send(new SensorPacket(SensorPacketType.RegAck) { TopicId = register.TopicId, MessageId = register.MessageId });
        var publish = await sensor.ReceiveAsync();
        Assert.Equal((QoS.ExactlyOnce, register.TopicId), (publish.QoS, publish.TopicId));
        sensor.Send(new SensorPacket(SensorPacketType.PubRec) { MessageId = publish.MessageId });
        Assert.Equal($"PubRel #{publish.MessageId}", await sensor.HearAsync());
        sensor.Send(new SensorPacket(SensorPacketType.PubComp) { MessageId = publish.MessageId });
        await Within.Until(() => site.Find("sn:c1")!.InFlight == 0, "settled");
        Assert.Equal((TransportKind.SensorNet, "sensors"), (site.Find("sn:c1")!.Transport, site.Find("sn:c1")!.User));
    }

    [Fact]
    public async Task Retained_messages_come_after_the_subscription_one_by_one()
    {
        await using var site = await SensorBroker.StartAsync();
        for (var i = 0; i < 3; i++) site.Publish($"r/{i}", $"{i}", retain: true);
        var sensor = await site.ConnectAsync("c1");
        await sensor.SubscribeAsync("r/#");
        var heard = new List<string> { await sensor.TakeAsync(), await sensor.TakeAsync(), await sensor.TakeAsync() };
        Assert.Equal(["r/0 0", "r/1 1", "r/2 2"], heard.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_comes_while_it_sleeps_is_given_when_it_asks_and_QoS_0_is_the_first_to_go()
    {
        await using var site = await SensorBroker.StartAsync(change: options => options.QueuedMessagesMax = 3);
        var sensor = await site.ConnectAsync("c1");
        await sensor.SubscribeAsync("ab");
        sensor.Send("04 18 0E10");
        Assert.Equal("Disconnect", await sensor.HearAsync());
        site.Publish("ab", "zero", QoS.AtMostOnce);
        for (var i = 1; i <= 4; i++) site.Publish("ab", $"{i}");
        Assert.True(sensor.HearsNothing);
        Assert.Equal(3, site.Find("sn:c1")!.QueuedMessages);

        sensor.Send(SensorPacketType.PingReq, "c1");
        var heard = new List<string>();
        while (heard.LastOrDefault() != "PingResp") heard.Add(await sensor.TakeAsync());
        Assert.Equal(["1", "2", "3", "PingResp"], heard);
        sensor.Send(SensorPacketType.PingReq, "c1");
        Assert.Equal("PingResp", await sensor.TakeAsync());
        Assert.Equal(2, site.Broker.Statistics.Hits(BrokerLimit.Queue));
    }

    [Fact]
    public async Task A_will_goes_out_when_it_is_silent_also_in_its_sleep_and_not_when_it_leaves_or_comes_again()
    {
        var time = new ManualTime();
        await using var site = await SensorBroker.StartAsync(options => options.TimeProvider = time);
        var heard = site.Listen("#");
        foreach (var id in (string[])["silent", "asleep", "leaves", "again"])
        {
            var sensor = site.NewSensor();
            sensor.Send(SensorUnderTest.Connect(id, will: true, clean: false));
            Assert.Equal("WillTopicRequest", await sensor.HearAsync());
            sensor.Send(new SensorPacket(SensorPacketType.WillTopic) { Text = $"gone/{id}", QoS = QoS.AtLeastOnce });
            Assert.Equal("WillMessageRequest", await sensor.HearAsync());
            sensor.Send("05 09 627965");
            Assert.Equal("ConnAck", await sensor.HearAsync());
            if (id == "asleep") sensor.Send("04 18 0064");
            if (id == "leaves") sensor.Send("02 18");
            if (id is "asleep" or "leaves") Assert.Equal("Disconnect", await sensor.HearAsync());
            if (id != "again") continue;
            await sensor.ConnectAsync(id, clean: false, keepAlive: 1000);
            // It has the will that it had, and another message in it now.
            sensor.Send("05 1C 6E6577");
            Assert.Equal("WillMessageResponse", await sensor.HearAsync());
            sensor.Send(new SensorPacket(SensorPacketType.WillTopicUpdate) { Text = "gone/+" });
            Assert.Equal("WillTopicResponse NotSupported", await sensor.HearAsync());
            sensor.Send(new SensorPacket(SensorPacketType.WillTopicUpdate) { Text = "gone/anew" });
            Assert.Equal("WillTopicResponse", await sensor.HearAsync());
        }

        time.AdvanceSeconds(89);
        Assert.Empty(heard);
        time.AdvanceSeconds(3);
        Assert.Equal(["gone/silent bye"], heard);
        time.AdvanceSeconds(60);
        Assert.Equal(["gone/silent bye", "gone/asleep bye"], heard);
        time.AdvanceSeconds(1400);
        Assert.Equal(["gone/silent bye", "gone/asleep bye", "gone/anew new"], heard);
    }

    [Fact]
    public async Task A_sensor_with_a_new_address_has_its_session_and_its_topics()
    {
        await using var site = await SensorBroker.StartAsync();
        var before = await site.ConnectAsync("c1", clean: false);
        await before.SubscribeAsync("a/b");
        before.Send(SensorPacketType.Register, "up", 1);
        var id = (await before.ReceiveAsync()).TopicId;
        site.Publish("a/b", "lost on the way");
        Assert.Equal(SensorPacketType.Publish, (await before.ReceiveAsync()).Type);

        var after = await site.ConnectAsync("c1", clean: false);
        Assert.Equal("a/b lost on the way", await after.TakeAsync());
        Assert.True(before.HearsNothing);
        var heard = site.Listen("up");
        after.Publish(TopicIdType.Normal, id, "still", QoS.AtLeastOnce, 9);
        Assert.Equal($"PubAck t{id} #9", await after.HearAsync());
        Assert.Equal(["up still"], heard);
        // Where it was nobody is any more.
        before.Send(SensorPacketType.PingReq);
        Assert.Equal("Disconnect", await before.HearAsync());
        Assert.Equal(after.Address.ToString(), site.Find("sn:c1")!.RemoteAddress);
    }

    [Fact]
    public async Task A_clean_session_ends_and_another_waits()
    {
        await using var site = await SensorBroker.StartAsync();
        foreach (var clean in (bool[])[true, false])
        {
            var sensor = await site.ConnectAsync($"{clean}", clean);
            await sensor.SubscribeAsync("ab");
            sensor.Send("02 18");
            Assert.Equal("Disconnect", await sensor.HearAsync());
        }

        site.Publish("ab", "waits");
        Assert.Null(site.Find("sn:True"));
        Assert.Equal((1, false), (site.Find("sn:False")!.QueuedMessages, site.Find("sn:False")!.Connected));
        Assert.Equal("waits", await (await site.ConnectAsync("False", clean: false)).TakeAsync());
    }

    [Fact]
    public async Task QoS_minus_1_needs_no_connection()
    {
        await using var site = await SensorBroker.StartAsync();
        var heard = site.Listen("#");
        var sensor = site.NewSensor();
        sensor.Send("08 0C 62 6162 0000 31");
        sensor.Send("08 0C 61 0007 0000 32");
        // Neither a registered topic nor an unknown number means anything without one.
        sensor.Send("08 0C 60 0001 0000 33");
        sensor.Send("08 0C 61 0008 0000 34");
        sensor.Send("03 01 00");
        Assert.Equal(SensorPacketType.GatewayInfo, (await sensor.ReceiveAsync()).Type);
        Assert.Equal(["ab 1", "pre/defined 2"], heard);
        Assert.Empty(site.Broker.Clients);
        Assert.Equal(2, site.Broker.Statistics.BadDatagrams);
    }

    [Fact]
    public async Task A_gateway_is_found_and_strangers_are_told_to_connect_but_only_so_often()
    {
        await using var site = await SensorBroker.StartAsync(
            options => options.TimeProvider = new ManualTime(), options => (options.GatewayId, options.AnswersPerSecond) = (9, 1));
        var sensor = site.NewSensor();
        sensor.Send("03 01 00");
        Assert.Equal(9, (await sensor.ReceiveAsync()).Number);
        sensor.Publish(TopicIdType.Short, 0x6162, "x", QoS.AtLeastOnce, 1);
        Assert.Equal("Disconnect", await sensor.HearAsync());
        // What another gateway says is not answered.
        sensor.Send("02 18");
        sensor.Send("05 00 07 0384");
        for (var i = 0; i < 10; i++) sensor.Send("02 16");
        await Within.Until(() => site.Broker.Statistics.Hits(BrokerLimit.SensorRate) == 7, "dropped");
        for (var i = 0; i < 3; i++) Assert.Equal("Disconnect", await sensor.HearAsync());
        Assert.True(sensor.HearsNothing);
    }

    [Fact]
    public async Task There_are_only_so_many_sensors_and_connects()
    {
        var time = new ManualTime();
        await using var site = await SensorBroker.StartAsync(
            options => options.TimeProvider = time, options => (options.ClientsMax, options.ConnectsPerSecond) = (2, 1));
        await site.ConnectAsync("c1", clean: false);
        await site.ConnectAsync("c2");
        await site.NewSensor().ConnectAsync("c3", expected: "ConnAck Congestion");
        // Who has a session comes back.
        await site.ConnectAsync("c1", clean: false);
        Assert.Equal(1, site.Broker.Statistics.Hits(BrokerLimit.Sensors));
        for (var i = 0; i < 50; i++) site.NewSensor().Send(SensorUnderTest.Connect($"spoofed-{i}", clean: false));
        await Within.Until(() => site.Broker.Statistics.Hits(BrokerLimit.SensorRate) == 49, "dropped");
        Assert.Equal(2, site.Broker.Clients.Count);
        time.AdvanceSeconds(1);
        await site.ConnectAsync("c2");
    }

    [Fact]
    public async Task Sensors_have_the_rights_and_quotas_of_their_user()
    {
        var user = Users.Make("sensors", "", "allow write up/#", "allow read down/#") with { Credential = null, Quotas = new Quotas { SubscriptionsMax = 1 } };
        using var access = new UserAccess(Users.Directory(user));
        await using var site = await SensorBroker.StartAsync(
            options => options.Access = access, options => options.Admit = clientId => access.Admit("sensors", clientId));
        var sensor = await site.ConnectAsync("c1");
        foreach (var (topic, code) in (Dictionary<string, string>)new() { ["other"] = " NotSupported", ["up/x"] = "" })
        {
            sensor.Send(SensorPacketType.Register, topic, 1);
            var id = (await sensor.ReceiveAsync()).TopicId;
            sensor.Publish(TopicIdType.Normal, id, "x", QoS.AtLeastOnce, 2);
            Assert.Equal($"PubAck t{id} #2{code}", await sensor.HearAsync());
            sensor.Publish(TopicIdType.Normal, id, "x", QoS.ExactlyOnce, 3);
            Assert.Equal(code.Length == 0 ? "PubRec #3" : $"PubAck t{id} #3{code}", await sensor.HearAsync());
        }

        sensor.Send(SensorPacketType.Subscribe, "up/x", 4);
        Assert.Equal("SubAck #4 NotSupported", await sensor.HearAsync());
        sensor.Send(SensorPacketType.Subscribe, "down/+", 5);
        Assert.Equal("SubAck #5", await sensor.HearAsync());
        sensor.Send(SensorPacketType.Subscribe, "down/#", 6);
        Assert.Equal("SubAck #6 Congestion", await sensor.HearAsync());

        access.Replace(UserDirectory.Empty);
        site.Broker.Review();
        Assert.Equal("Disconnect", await sensor.HearAsync());
        await sensor.ConnectAsync("c1", expected: "ConnAck NotSupported");
    }

    [Fact]
    public async Task Who_publishes_more_than_its_user_may_is_told_of_congestion_until_the_rate_is_kept()
    {
        var time = new ManualTime();
        var user = Users.Make("sensors") with { Quotas = new Quotas { MessagesPerSecond = 1 } };
        using var access = new UserAccess(Users.Directory(user));
        await using var site = await SensorBroker.StartAsync(
            options => (options.Access, options.TimeProvider) = (access, time), options => options.Admit = clientId => access.Admit("sensors", clientId));
        var sensor = await site.ConnectAsync("c1");
        var answers = new List<string>();
        for (ushort i = 1; i <= 5; i++)
        {
            sensor.Publish(TopicIdType.Short, 0x6162, "x", QoS.AtLeastOnce, i);
            answers.Add(await sensor.HearAsync());
        }

        Assert.Equal("PubAck t24930 #1", answers[0]);
        Assert.Equal("PubAck t24930 #5 Congestion", answers[4]);
        time.AdvanceSeconds(10);
        sensor.Publish(TopicIdType.Short, 0x6162, "x", QoS.AtLeastOnce, 6);
        Assert.Equal("PubAck t24930 #6", await sensor.HearAsync());
    }

    [Fact]
    public async Task No_sensor_takes_the_session_of_a_client()
    {
        await using var site = await SensorBroker.StartAsync();
        await using var client = await site.Loopback.ConnectAsync("c1");
        await site.ConnectAsync("c1");
        Assert.Equal(["c1", "sn:c1"], site.Broker.Clients.Where(one => one.Connected).Select(one => one.ClientId).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Bad_datagrams_are_counted_and_the_gateway_lives_on()
    {
        await using var site = await SensorBroker.StartAsync();
        var sensor = await site.ConnectAsync("steady");
        foreach (var row in SensorCodecTests.Nonsense) sensor.Send((string)row[0]);
        sensor.Send(SensorCodec.Write(new SensorPacket(SensorPacketType.WillMessage) { Data = new byte[2000] }));
        var random = new Random(1);
        for (var i = 0; i < 300; i++)
        {
            site.NewSensor().Send(SensorNoise.Next(random));
            if (i % 50 > 0) continue;
            sensor.Send("02 16");
            Assert.Equal("PingResp", await sensor.HearAsync());
        }

        Assert.InRange(site.Broker.Statistics.BadDatagrams, SensorCodecTests.Nonsense.Count, 400);
    }

    [Fact]
    public async Task Sessions_of_sensors_survive_a_restart_and_their_messages_wait()
    {
        var directory = Directory.CreateTempSubdirectory("edge-sensors-").FullName;
        void Durable(BrokerOptions options) => options.Durability = new() { Directory = directory };
        await using (var site = await SensorBroker.StartAsync(Durable))
        {
            var sensor = await site.ConnectAsync("c1", clean: false);
            await sensor.SubscribeAsync("ab");
            sensor.Send("04 18 0E10");
            Assert.Equal("Disconnect", await sensor.HearAsync());
            site.Publish("ab", "kept");
            await site.Broker.StopAsync();
            // Asleep or not: it has to connect.
            Assert.Equal("Disconnect", await sensor.HearAsync());
        }

        await using (var site = await SensorBroker.StartAsync(Durable))
        {
            var sensor = site.NewSensor();
            sensor.Send(SensorPacketType.PingReq, "c1");
            Assert.Equal("Disconnect", await sensor.HearAsync());
            await sensor.ConnectAsync("c1", clean: false);
            Assert.Equal("kept", await sensor.TakeAsync());
        }

        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task An_operator_disconnects_a_sensor_by_its_name()
    {
        await using var site = await SensorBroker.StartAsync();
        var sensor = await site.ConnectAsync("c1");
        Assert.True(site.Broker.Disconnect("sn:c1"));
        Assert.Equal("Disconnect", await sensor.HearAsync());
        Assert.Empty(site.Broker.Clients);
    }

    [Fact]
    public async Task Wrong_options_are_named()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        var options = new SensorNetOptions { Admit = _ => null, PredefinedTopics = [new(0, "a"), new(1, "a/#"), new(1, "b")] };
        Assert.Equal(3, options.Faults.Count());
        Assert.Throws<ArgumentException>(() => loopback.Broker.StartSensorNet(options, new IPEndPoint(IPAddress.Loopback, 0)));
    }
}
