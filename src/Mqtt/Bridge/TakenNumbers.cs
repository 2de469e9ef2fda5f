using System.Buffers.Binary;
using System.Globalization;
using EdgeFirmware.Mqtt.Broker;

namespace EdgeFirmware.Mqtt.Bridge;

/// <summary>
/// The numbers of messages that were taken last from each lane of other nodes' bridges, on disk with the messages themselves. Nobody has more under way
/// than are remembered, so that what comes again is known. Under the broker's lock.
/// </summary>
internal sealed class TakenNumbers(MqttBroker broker)
{
    private const string Prefix = "taken/";

    /// <summary>Of one node: it has one for each bridge to here, and leaves one behind when its disk is lost.</summary>
    private const int StreamsMax = 8;

    private readonly Dictionary<string, Taken> _streams = [];

    public bool Has(string from, Guid stream, byte lane, long number) => Open(from, stream).LaneOf(lane).Numbers.Contains(number);

    public void Add(string from, Guid stream, byte lane, long number)
    {
        var taken = Open(from, stream);
        var payload = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(payload, number);
        var place = taken.Queue.Put(new MqttMessage { Topic = lane.ToString(CultureInfo.InvariantCulture), Payload = payload, QoS = QoS.AtLeastOnce }, static () => { });
        if (taken.LaneOf(lane).Add(number, place) is { } gone) taken.Queue.Remove(gone);
    }

    private Taken Open(string from, Guid stream)
    {
        var name = $"{Prefix}{from}/{stream:N}";
        if (_streams.TryGetValue(name, out var known)) return known;
        MakeRoom($"{Prefix}{from}/");
        var taken = new Taken(broker.OpenQueue(name));
        foreach (var (place, message) in taken.Queue.Kept)
            taken.LaneOf(byte.Parse(message.Topic, CultureInfo.InvariantCulture)).Add(BinaryPrimitives.ReadInt64BigEndian(message.Payload.Span), place);
        _streams.Add(name, taken);
        return taken;
    }

    /// <summary>The one that was used longest ago goes.</summary>
    private void MakeRoom(string prefix)
    {
        var names = new List<string>();
        foreach (var name in broker.Core.Queues.Keys)
            if (name.StartsWith(prefix, StringComparison.Ordinal)) names.Add(name);
        if (names.Count < StreamsMax) return;
        var oldest = names.MinBy(name => broker.Core.Queues[name].Kept is { Count: > 0 } kept ? kept[^1].Number : 0)!;
        _streams.Remove(oldest);
        broker.DeleteQueue(oldest);
    }

    private sealed class Taken(HostQueue queue)
    {
        private readonly Dictionary<byte, Lane> _lanes = [];

        public HostQueue Queue => queue;

        public Lane LaneOf(byte number)
        {
            if (!_lanes.TryGetValue(number, out var lane)) _lanes.Add(number, lane = new Lane());
            return lane;
        }
    }

    private sealed class Lane
    {
        private readonly Queue<(long Number, long Place)> _order = new();

        public HashSet<long> Numbers { get; } = [];

        /// <returns>The place in the queue of one that need not be remembered any more.</returns>
        public long? Add(long number, long place)
        {
            if (Numbers.Add(number)) _order.Enqueue((number, place));
            if (_order.Count <= BridgeOptions.CarriedInFlightMax) return null;
            var (gone, where) = _order.Dequeue();
            Numbers.Remove(gone);
            return where;
        }
    }
}
