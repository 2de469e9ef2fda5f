using EdgeFirmware.Mqtt.Packets;
using EdgeFirmware.Mqtt.SensorNet;

namespace EdgeFirmware.Mqtt.Tests.SensorNet;

public sealed class SensorClientTests
{
    private static SensorPacket Named(SensorPacketType type, string text, ushort messageId = 0, QoS qos = default) =>
        new(type) { Text = text, MessageId = messageId, QoS = qos };

    private static SensorPacket Publish(ushort topicId, ushort messageId = 0, QoS qos = default, TopicIdType type = default, bool duplicate = false, byte payload = 1) =>
        new(SensorPacketType.Publish) { TopicId = topicId, MessageId = messageId, QoS = qos, TopicIdType = type, Duplicate = duplicate, Data = new[] { payload } };

    private static SensorPacket Sleep(ushort seconds) => new(SensorPacketType.Disconnect) { Duration = seconds };

    [Fact]
    public void A_connect_without_a_will_is_asked_for_at_once()
    {
        var sensor = new SensorUnderTest();
        Assert.Equal("Connect c1 clean", sensor.Asks());
        sensor.Client.Accept(null, sensor.Now);
        Assert.Equal(("ConnAck", SensorState.Active), (sensor.Says(), sensor.Client.State));
    }

    [Fact]
    public void A_will_is_asked_for_first()
    {
        var sensor = new SensorUnderTest(SensorUnderTest.Connect(will: true));
        Assert.Equal(("WillTopicRequest", ""), (sensor.Says(), sensor.Asks()));
        sensor.Hears(Named(SensorPacketType.WillTopic, "gone"));
        Assert.Equal(("WillMessageRequest", ""), (sensor.Says(), sensor.Asks()));
        // The answer was lost, and it asks again.
        Assert.Equal("WillMessageRequest", sensor.Hears(Named(SensorPacketType.WillTopic, "gone")).Says());
        sensor.Hears(new SensorPacket(SensorPacketType.WillMessage) { Data = "bye"u8.ToArray() });
        Assert.Equal("Connect c1 clean will gone=bye", sensor.Asks());
    }

    [Fact]
    public void An_empty_will_topic_is_no_will_and_a_bad_one_a_refusal()
    {
        Assert.Equal("Connect c1 clean", new SensorUnderTest(SensorUnderTest.Connect(will: true)).Hears(SensorPacketType.WillTopic).Asks());
        var sensor = new SensorUnderTest(SensorUnderTest.Connect(will: true)).Hears(Named(SensorPacketType.WillTopic, "a/#"));
        Assert.Equal(("WillTopicRequest, ConnAck NotSupported", "", SensorState.Gone), (sensor.Says(), sensor.Asks(), sensor.Client.State));
    }

    [Fact]
    public void Who_never_says_its_will_is_forgotten()
    {
        var sensor = new SensorUnderTest(SensorUnderTest.Connect(will: true)).After(30);
        Assert.Equal(SensorState.Connecting, sensor.Client.State);
        Assert.Equal((SensorState.Gone, ""), (sensor.After(1).Client.State, sensor.Asks()));
    }

    [Fact]
    public void Another_version_and_no_name_are_refused()
    {
        Assert.Equal("ConnAck NotSupported", new SensorUnderTest(SensorUnderTest.Connect(id: "")).Says());
        Assert.Equal("ConnAck NotSupported", new SensorUnderTest(new SensorPacket(SensorPacketType.Connect) { Text = "c", Number = 2 }).Says());
    }

    [Fact]
    public void A_registered_topic_is_published_to_by_its_id()
    {
        var sensor = SensorUnderTest.Connected();
        sensor.Hears(Named(SensorPacketType.Register, "a/b", 1)).Hears(Named(SensorPacketType.Register, "c", 2)).Hears(Named(SensorPacketType.Register, "a/b", 3));
        Assert.Equal("RegAck t100 #1, RegAck t101 #2, RegAck t100 #3", sensor.Says());
        sensor.Hears(Publish(101, 9, QoS.AtLeastOnce));
        Assert.Equal("Publish c #9 q1", sensor.Asks());
        sensor.Client.Acknowledge(PacketType.PubAck, 9, ReasonCode.NoMatchingSubscribers, sensor.Now);
        Assert.Equal("PubAck t101 #9", sensor.Says());
    }

    [Fact]
    public void Predefined_and_short_topics_need_no_registration()
    {
        var sensor = SensorUnderTest.Connected();
        sensor.Hears(Publish(7, type: TopicIdType.Predefined)).Hears(Publish(0x6162, type: TopicIdType.Short));
        Assert.Equal("Publish pre/defined #0 q0, Publish ab #0 q0", sensor.Asks());
        Assert.Equal("PubAck t8 InvalidTopicId", sensor.Hears(Publish(8, type: TopicIdType.Predefined)).Says());
        Assert.Equal("PubAck t9251 #4 InvalidTopicId", sensor.Hears(Publish(0x2423, 4, QoS.AtLeastOnce, TopicIdType.Short)).Says()); // "$#"
    }

    [Fact]
    public void Topics_have_a_limit_and_wildcards_are_no_topics()
    {
        var sensor = SensorUnderTest.Connected(change: options => options.TopicsMax = 2);
        for (ushort i = 1; i <= 3; i++) sensor.Hears(Named(SensorPacketType.Register, $"t/{i}", i));
        Assert.Equal("RegAck t100 #1, RegAck t101 #2, RegAck #3 Congestion", sensor.Says());
        Assert.Equal("RegAck #4 NotSupported", sensor.Hears(Named(SensorPacketType.Register, "t/#", 4)).Says());
        Assert.False(sensor.Deliver("t/4"));
        Assert.True(sensor.Deliver("t/1"));
    }

    [Fact]
    public void QoS_2_goes_all_its_way()
    {
        var sensor = SensorUnderTest.Connected();
        sensor.Hears(Publish(7, 5, QoS.ExactlyOnce, TopicIdType.Predefined));
        Assert.Equal("Publish pre/defined #5 q2", sensor.Asks());
        // It repeats before the session has answered: that comes.
        Assert.Equal("", sensor.Hears(Publish(7, 5, QoS.ExactlyOnce, TopicIdType.Predefined, duplicate: true)).Asks());
        sensor.Client.Acknowledge(PacketType.PubRec, 5, ReasonCode.Success, sensor.Now);
        Assert.Equal("PubRec #5", sensor.Says());
        Assert.Equal("PubRel #5", sensor.Hears(SensorPacketType.PubRel, 5).Asks());
        sensor.Client.Acknowledge(PacketType.PubComp, 5, ReasonCode.Success, sensor.Now);
        Assert.Equal("PubComp #5", sensor.Says());
    }

    [Fact]
    public void A_refused_message_is_answered_with_a_code()
    {
        var sensor = SensorUnderTest.Connected();
        sensor.Hears(Publish(7, 5, QoS.ExactlyOnce, TopicIdType.Predefined)).Hears(Publish(7, 6, QoS.AtLeastOnce, TopicIdType.Predefined));
        sensor.Client.Acknowledge(PacketType.PubRec, 5, ReasonCode.NotAuthorized, sensor.Now);
        sensor.Client.Acknowledge(PacketType.PubAck, 6, ReasonCode.QuotaExceeded, sensor.Now);
        Assert.Equal("PubAck t7 #5 NotSupported, PubAck t7 #6 Congestion", sensor.Says());
    }

    [Fact]
    public void What_was_acknowledged_is_not_published_again()
    {
        var sensor = SensorUnderTest.Connected().Hears(Publish(7, 6, QoS.AtLeastOnce, TopicIdType.Predefined));
        sensor.Client.Acknowledge(PacketType.PubAck, 6, ReasonCode.Success, sensor.Now);
        sensor.Says();
        sensor.Asks();
        sensor.Hears(Publish(7, 6, QoS.AtLeastOnce, TopicIdType.Predefined, duplicate: true));
        Assert.Equal(("PubAck t7 #6", ""), (sensor.Says(), sensor.Asks()));
        // Another message that has the id by now.
        Assert.Equal("Publish pre/defined #6 q1", sensor.Hears(Publish(7, 6, QoS.AtLeastOnce, TopicIdType.Predefined, duplicate: true, payload: 2)).Asks());
    }

    [Fact]
    public void Only_so_many_messages_wait_for_their_acknowledgement()
    {
        var sensor = SensorUnderTest.Connected(change: options => options.ReceiveMax = 2);
        for (ushort i = 1; i <= 3; i++) sensor.Hears(Publish(7, i, QoS.AtLeastOnce, TopicIdType.Predefined));
        Assert.Equal("PubAck t7 #3 Congestion", sensor.Says());
        sensor.Client.CongestedUntil = sensor.Now + TimeSpan.FromSeconds(5);
        sensor.Asks();
        sensor.Hears(Publish(7, type: TopicIdType.Predefined)).Hears(Publish(7, 9, QoS.AtLeastOnce, TopicIdType.Predefined));
        Assert.Equal(("PubAck t7 #9 Congestion", ""), (sensor.Says(), sensor.Asks()));
    }

    [Fact]
    public void A_topic_is_registered_before_its_first_message_and_one_message_is_under_way()
    {
        var sensor = SensorUnderTest.Connected();
        Assert.True(sensor.Deliver("a/b", QoS.AtLeastOnce, 1));
        Assert.Equal(("Register t100 #1 a/b", false), (sensor.Says(), sensor.Client.CanTake));
        sensor.Hears(SensorPacketType.RegAck, 1, 100);
        Assert.Equal("Publish t100 #1 q1", sensor.Says());
        sensor.Hears(SensorPacketType.PubAck, 1, 100);
        Assert.Equal(("PubAck #1", true), (sensor.Asks(), sensor.Client.CanTake));
        sensor.Deliver("a/b");
        sensor.Deliver("ab");
        sensor.Deliver("pre/defined");
        Assert.Equal("Publish t100, Publish 'ab', Publish t7", sensor.Says());
    }

    [Fact]
    public void QoS_2_to_a_sensor_goes_all_its_way_with_every_answer_lost_once()
    {
        var sensor = SensorUnderTest.Connected();
        sensor.Deliver("ab", QoS.ExactlyOnce, 3);
        Assert.Equal("Publish 'ab' #3 q2, Publish 'ab' #3 q2 again", sensor.After(10).Says());
        Assert.Equal("PubRec #3", sensor.Hears(SensorPacketType.PubRec, 3).Asks());
        sensor.Client.Acknowledge(PacketType.PubRel, 3, ReasonCode.Success, sensor.Now);
        Assert.Equal("PubRel #3, PubRel #3", sensor.After(10).Says());
        Assert.Equal(("PubComp #3", true), (sensor.Hears(SensorPacketType.PubComp, 3).Asks(), sensor.Client.CanTake));
        Assert.Equal("", sensor.After(20).Says());
    }

    [Fact]
    public void A_release_from_an_earlier_connection_is_repeated_too()
    {
        var sensor = SensorUnderTest.Connected();
        sensor.Client.Acknowledge(PacketType.PubRel, 8, ReasonCode.Success, sensor.Now);
        Assert.Equal(("PubRel #8, PubRel #8", false), (sensor.After(10).Says(), sensor.Client.CanTake));
        Assert.Equal(("PubComp #8", true), (sensor.Hears(SensorPacketType.PubComp, 8).Asks(), sensor.Client.CanTake));
    }

    [Fact]
    public void After_all_repetitions_it_is_lost()
    {
        var sensor = SensorUnderTest.Connected(keepAlive: 0);
        sensor.Deliver("ab", QoS.AtLeastOnce, 1);
        sensor.After(49);
        Assert.Equal("Publish 'ab' #1 q1, Publish 'ab' #1 q1 again, Publish 'ab' #1 q1 again, Publish 'ab' #1 q1 again, Publish 'ab' #1 q1 again", sensor.Says());
        Assert.Equal(("Disconnect", "Disconnect KeepAliveTimeout", SensorState.Gone), (sensor.After(1).Says(), sensor.Asks(), sensor.Client.State));
    }

    [Fact]
    public void An_id_the_sensor_does_not_know_is_told_again_but_not_for_ever()
    {
        var sensor = SensorUnderTest.Connected().Hears(Named(SensorPacketType.Register, "a/b", 1));
        sensor.Says();
        sensor.Deliver("a/b", QoS.AtLeastOnce, 4);
        sensor.Hears(SensorPacketType.PubAck, 4, 100, SensorReturnCode.InvalidTopicId);
        Assert.Equal("Publish t100 #4 q1, Register t100 #1 a/b", sensor.Says());
        sensor.Hears(SensorPacketType.RegAck, 1, 100).Hears(SensorPacketType.PubAck, 4, 100, SensorReturnCode.InvalidTopicId);
        Assert.Equal(("Publish t100 #4 q1", "PubAck #4 UnspecifiedError"), (sensor.Says(), sensor.Asks()));
    }

    [Theory]
    [InlineData(QoS.AtMostOnce, "")]
    [InlineData(QoS.AtLeastOnce, "PubAck #4 UnspecifiedError")]
    [InlineData(QoS.ExactlyOnce, "PubRec #4 UnspecifiedError")]
    public void A_sensor_that_takes_no_registration_does_not_get_the_message(QoS qos, string asks)
    {
        var sensor = SensorUnderTest.Connected();
        sensor.Deliver("a/b", qos, qos == QoS.AtMostOnce ? (ushort)0 : (ushort)4);
        sensor.Hears(SensorPacketType.RegAck, 1, 100, SensorReturnCode.NotSupported);
        Assert.Equal((asks, true), (sensor.Asks(), sensor.Client.CanTake));
    }

    [Fact]
    public void A_message_that_no_datagram_holds_is_not_taken()
    {
        var sensor = SensorUnderTest.Connected(change: options => options.PacketBytesMax = 64);
        Assert.True(sensor.Deliver("ab", bytes: 57));
        Assert.False(sensor.Deliver("ab", bytes: 58));
        Assert.False(sensor.Deliver(new string('t', 59)));
    }

    [Fact]
    public void Subscriptions_get_an_id_where_there_is_one()
    {
        var sensor = SensorUnderTest.Connected();
        sensor.Hears(Named(SensorPacketType.Subscribe, "a/b", 1, QoS.AtLeastOnce));
        Assert.Equal("Subscribe a/b #1 q1", sensor.Asks());
        sensor.Client.Subscribed(new SubAckPacket(PacketType.SubAck) { PacketId = 1, Reasons = [ReasonCode.GrantedQoS1] });
        sensor.Hears(Named(SensorPacketType.Subscribe, "a/#", 2));
        sensor.Client.Subscribed(new SubAckPacket(PacketType.SubAck) { PacketId = 2, Reasons = [ReasonCode.Success] });
        sensor.Hears(new SensorPacket(SensorPacketType.Subscribe) { TopicIdType = TopicIdType.Predefined, TopicId = 7, MessageId = 3 });
        sensor.Client.Subscribed(new SubAckPacket(PacketType.SubAck) { PacketId = 3, Reasons = [ReasonCode.NotAuthorized] });
        Assert.Equal(("SubAck t100 #1 q1, SubAck #2, SubAck t7 #3 NotSupported", "Subscribe a/# #2 q0, Subscribe pre/defined #3 q0"), (sensor.Says(), sensor.Asks()));
        sensor.Hears(new SensorPacket(SensorPacketType.Subscribe) { TopicIdType = TopicIdType.Predefined, TopicId = 8, MessageId = 4 });
        Assert.Equal(("SubAck #4 InvalidTopicId", ""), (sensor.Says(), sensor.Asks()));
        // It has the id from its SUBACK.
        sensor.Deliver("a/b");
        Assert.Equal("Publish t100", sensor.Says());
    }

    [Fact]
    public void Unsubscribing_is_always_acknowledged()
    {
        var sensor = SensorUnderTest.Connected().Hears(Named(SensorPacketType.Unsubscribe, "a/#", 5));
        Assert.Equal("Unsubscribe a/# #5", sensor.Asks());
        sensor.Client.Subscribed(new SubAckPacket(PacketType.UnsubAck) { PacketId = 5, Reasons = [ReasonCode.Success] });
        sensor.Hears(new SensorPacket(SensorPacketType.Unsubscribe) { TopicIdType = TopicIdType.Predefined, TopicId = 8, MessageId = 6 });
        Assert.Equal("UnsubAck #5, UnsubAck #6", sensor.Says());
    }

    [Fact]
    public void A_sleeper_takes_nothing_until_it_asks_by_its_name_and_sleeps_again_when_it_has_all()
    {
        var sensor = SensorUnderTest.Connected().Hears(Sleep(300));
        Assert.Equal(("Disconnect", false, SensorState.Asleep), (sensor.Says(), sensor.Client.CanTake, sensor.Client.State));
        Assert.Equal(("PingResp", SensorState.Asleep), (sensor.Hears(SensorPacketType.PingReq).Says(), sensor.Client.State));
        Assert.Equal("", sensor.Hears(Named(SensorPacketType.PingReq, "another")).Says());
        sensor.Hears(Named(SensorPacketType.PingReq, "c1"));
        Assert.True(sensor.Client.CanTake);
        sensor.Deliver("ab", QoS.AtLeastOnce, 1);
        sensor.Client.Rest(sensor.Now);
        Assert.Equal(("Publish 'ab' #1 q1", SensorState.Awake), (sensor.Says(), sensor.Client.State));
        sensor.Hears(SensorPacketType.PubAck, 1, 0x6162).Client.Rest(sensor.Now);
        Assert.Equal(("PingResp", false, SensorState.Asleep), (sensor.Says(), sensor.Client.CanTake, sensor.Client.State));
    }

    [Fact]
    public void A_sleeper_is_given_only_so_much_at_once()
    {
        var sensor = SensorUnderTest.Connected(change: options => options.QueuedMessagesMax = 3).Hears(Sleep(300)).Hears(Named(SensorPacketType.PingReq, "c1"));
        for (var i = 0; i < 3; i++) Assert.True(sensor.Deliver("ab"));
        Assert.False(sensor.Client.CanTake);
        sensor.Client.Rest(sensor.Now);
        Assert.EndsWith("PingResp", sensor.Says(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_sleeper_that_does_not_answer_sleeps_and_gets_it_the_next_time()
    {
        var sensor = SensorUnderTest.Connected().Hears(Sleep(300)).Hears(Named(SensorPacketType.PingReq, "c1"));
        sensor.Deliver("ab", QoS.AtLeastOnce, 1);
        sensor.After(60);
        Assert.Equal(SensorState.Asleep, sensor.Client.State);
        sensor.Says();
        Assert.Equal("", sensor.After(30).Says());
        Assert.Equal("Publish 'ab' #1 q1 again", sensor.Hears(Named(SensorPacketType.PingReq, "c1")).Says());
    }

    [Theory]
    [InlineData(0, 60, 90)]
    [InlineData(300, 60, 450)]
    [InlineData(0, 0, 86_400)]
    public void Silence_of_one_and_a_half_of_what_was_agreed_on_is_the_end(ushort sleep, ushort keepAlive, int seconds)
    {
        var sensor = SensorUnderTest.Connected(keepAlive);
        if (sleep > 0) sensor.Hears(Sleep(sleep));
        sensor.Asks();
        Assert.Equal("", sensor.After(seconds).Asks());
        Assert.Equal("Disconnect KeepAliveTimeout", sensor.After(1).Asks());
    }

    [Fact]
    public void Who_leaves_is_told_so_and_nothing_after_it()
    {
        var sensor = SensorUnderTest.Connected();
        sensor.Deliver("ab", QoS.AtLeastOnce, 1);
        sensor.Hears(SensorPacketType.Disconnect);
        Assert.Equal(("Publish 'ab' #1 q1, Disconnect", "Disconnect Success", SensorState.Gone), (sensor.Says(), sensor.Asks(), sensor.Client.State));
        Assert.Equal(("", ""), (sensor.Hears(SensorPacketType.PingReq).After(100).Says(), sensor.Asks()));
    }

    [Fact]
    public void Nonsense_changes_nothing()
    {
        var sensor = SensorUnderTest.Connected();
        sensor.Hears(SensorPacketType.ConnAck).Hears(SensorPacketType.WillTopicRequest).Hears(SensorPacketType.PubAck, 77).Hears(SensorPacketType.RegAck, 3)
            .Hears(SensorPacketType.PubComp, 5).Hears(Publish(7, 0, QoS.AtLeastOnce, TopicIdType.Predefined));
        Assert.Equal(("", "", SensorState.Active), (sensor.Says(), sensor.Asks(), sensor.Client.State));
        Assert.Equal(3, sensor.Client.Unexpected);
    }
}
