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

    public bool Has(string from, Guid stream, byte lane, long number) => Open(from, stream).LaneOf(lane).Has(number);

    public void Add(string from, Guid stream, byte lane, long number)
    {
        var taken = Open(from, stream);
        var payload = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(payload, number);
        var place = taken.Queue.Put(new MqttMessage { Topic = lane.ToString(CultureInfo.InvariantCulture), Payload = payload, QoS = QoS.AtLeastOnce }, static () => { });
        if (taken.LaneOf(lane).Add(number, place) is > 0 and var gone) taken.Queue.Remove(gone);
    }

    private Taken Open(string from, Guid stream)
    {
        var name = $"{Prefix}{from}/{stream:N}";
        if (_streams.TryGetValue(name, out var known)) return known;
        MakeRoom($"{Prefix}{from}/");
        var taken = new Taken(broker.OpenQueue(name));
        foreach (var (place, message) in taken.Queue.Kept)
            if (byte.TryParse(message.Topic, CultureInfo.InvariantCulture, out var lane) && lane < IBridgeConversation.Lanes)
                taken.LaneOf(lane).Add(BinaryPrimitives.ReadInt64BigEndian(message.Payload.Span), place);
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
        private readonly Lane?[] _lanes = new Lane?[IBridgeConversation.Lanes];

        public HostQueue Queue => queue;

        public Lane LaneOf(byte number) => _lanes[number] ??= new Lane();
    }

    /// <summary>A ring. Numbers are above 0.</summary>
    private sealed class Lane
    {
        private readonly long[] _numbers = new long[BridgeOptions.CarriedInFlightMax];
        private readonly long[] _places = new long[BridgeOptions.CarriedInFlightMax];
        private int _next;

        public bool Has(long number) => _numbers.AsSpan().Contains(number);

        /// <returns>The place in the queue of one that need not be remembered any more; 0: none.</returns>
        public long Add(long number, long place)
        {
            var gone = _places[_next];
            (_numbers[_next], _places[_next]) = (number, place);
            _next = (_next + 1) % _numbers.Length;
            return gone;
        }
    }
}
