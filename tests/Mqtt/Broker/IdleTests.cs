using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Broker;

/// <summary>A day in which little happens, in virtual time.</summary>
[Collection(Alone.Name)]
public sealed class IdleTests
{
    private const int Clients = 40;
    private const long GrowthBytesMax = 256 << 10;
    private static readonly byte[] Ping = Bytes.Of(PingPacket.Request, ProtocolVersion.V5);

    private readonly ManualTime _time = new();
    private readonly MqttBroker _broker;
    private readonly MemoryWire?[] _wires = new MemoryWire?[Clients];

    public IdleTests() => _broker = new MqttBroker(new BrokerOptions { TimeProvider = _time, RandomSeed = 1 });

    [Fact]
    public async Task Twenty_four_hours_of_keep_alive_expiry_wills_and_SYS_leave_nothing_behind()
    {
        // A thread without a synchronization context, on which the broker's continuations run at once.
        await Task.Run(() =>
        {
            for (var hour = 0; hour < 2; hour++) Hour();
            var before = Measure();
            for (var hour = 0; hour < 24; hour++) Hour();
            var after = Measure();
            Assert.Equal(before.Sessions, after.Sessions);
            Assert.Equal(before.Timers, after.Timers);
            Assert.Equal(before.Statistics, after.Statistics);
            Assert.InRange(after.Bytes, 0, before.Bytes + GrowthBytesMax);
        });
        await _broker.StopAsync();
        await _broker.Completion;
    }

    /// <summary>
    /// Everybody pings each half minute. Every tenth client goes silent once an hour, is given up, leaves its will and comes back before or after
    /// its session has expired; the first two watch <c>$SYS</c> and the wills.
    /// </summary>
    private void Hour()
    {
        for (var half = 0; half < 120; half++)
        {
            _time.AdvanceSeconds(30);
            for (var i = 0; i < Clients; i++)
            {
                var comesBack = i % 20 == 0 ? 20 : 90;
                var isAway = i >= 10 && i % 10 == 0 && half >= 10 && half < comesBack;
                if (isAway) continue;
                if (_wires[i] is null or { Finished: true }) Connect(i);
                else Tell(i, Ping);
            }
        }
    }

    private void Connect(int i)
    {
        var wire = _wires[i] = new MemoryWire();
        _broker.Serve(wire, "idle", trusted: false);
        var will = new LastWill(Messages.Message($"gone/{i}", qos: QoS.AtLeastOnce) with { MessageExpirySeconds = 600, Retain = true }, 60);
        var keep = new PacketProperties { SessionExpirySeconds = 1200, TopicAliasMaximum = 10 };
        Tell(i, Bytes.Of(Messages.Connect($"c{i}", cleanStart: false, will: will, keepAlive: 60, properties: keep), ProtocolVersion.V5));
        var filter = i < 2 ? new[] { "$SYS/#", "gone/#" } : [$"own/{i}", "gone/0"];
        var entries = filter.Select(text => new SubscribeEntry(text, new(QoS.AtLeastOnce))).ToArray();
        Tell(i, Bytes.Of(new SubscribePacket { PacketId = 1, Entries = entries }, ProtocolVersion.V5));
    }

    private void Tell(int i, byte[] bytes)
    {
        var wire = _wires[i]!;
        SpinWait.SpinUntil(() => wire.IsIdle, Within.Limit);
        wire.Feed(bytes);
        SpinWait.SpinUntil(() => wire.IsIdle, Within.Limit);
        Acknowledge(wire);
    }

    private static void Acknowledge(MemoryWire wire)
    {
        for (var sent = wire.TakeSent().AsSpan(); !sent.IsEmpty;)
        {
            if (Frame.TryRead(sent, int.MaxValue, out var frame) != FrameStatus.Complete) break;
            if ((frame.First & 0xF6) == 0x32)
            {
                var publish = Bytes.Decode<PublishPacket>(sent[..frame.TotalBytes], ProtocolVersion.V5);
                wire.Feed(Bytes.Of(Messages.Ack(PacketType.PubAck, publish.PacketId), ProtocolVersion.V5));
            }

            sent = sent[frame.TotalBytes..];
        }
    }

    private (int Sessions, int Timers, (int, int, int, long) Statistics, long Bytes) Measure()
    {
        var held = _broker.Statistics;
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        var gauges = (held.Connections, held.Subscriptions, held.RetainedMessages, held.RetainedBytes);
        return (held.Sessions, _time.Timers, gauges, GC.GetTotalMemory(forceFullCollection: true));
    }
}
