using System.Text.Json;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Firmware.Operations;
using EdgeFirmware.Mesh.Shell;
using EdgeFirmware.Mqtt;
using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Topics;

namespace EdgeFirmware.Firmware.Broker;

/// <summary>Keeps what this node and its peers offer as retained messages, for applications on this node: one topic a node, changed when the
/// offer does, at most once a second, and removed when the node is gone or its offer has lapsed.</summary>
internal sealed class OfferTopics(NodeId self, MqttBroker broker, TimeProvider time)
{
    private const string Every = "edge/v1/+/+/offer";
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Dictionary<NodeId, Offer> _published = [];

    /// <summary>For the broker: they change often, and every start makes them anew.</summary>
    public static bool IsOne(string topic) => TopicName.Matches(Every, topic);

    /// <summary>A node's ID is two levels, device name and MAC: neither alone is unique for sure.</summary>
    public static string TopicOf(NodeId node) => $"edge/v1/{node}/offer";

    public async Task RunAsync(MeshNode mesh, CancellationToken cancel)
    {
        RemoveOld();
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(cancel))
            Publish(mesh.Snapshot, Instant.Now(time));
    }

    /// <summary>Publishes what is different from the last call.</summary>
    public void Publish(MeshSnapshot snapshot, Instant now)
    {
        var present = new HashSet<NodeId>();
        if (snapshot.Advertised is { } own)
            Publish(self, own, own.Validity, present);
        foreach (var member in snapshot.Members)
            if (member.OfferAt(now) is { } offer)
                Publish(member.Id, offer, offer.Validity - (now - (member.OfferHeard ?? now)), present);
        List<NodeId> gone = [];
        foreach (var node in _published.Keys)
            if (!present.Contains(node))
                gone.Add(node);
        foreach (var node in gone)
        {
            _published.Remove(node);
            Remove(TopicOf(node));
        }
    }

    /// <param name="left">The broker forgets it then, should this node not be there to remove it.</param>
    private void Publish(NodeId node, Offer offer, TimeSpan left, HashSet<NodeId> present)
    {
        present.Add(node);
        if (_published.TryGetValue(node, out var said) && ReferenceEquals(said, offer))
            return;
        _published[node] = offer;
        broker.Publish(new MqttMessage
        {
            Topic = TopicOf(node),
            Payload = JsonSerializer.SerializeToUtf8Bytes(OfferView.Of(node, offer), FirmwareJson.Default.OfferView),
            PayloadFormat = 1,
            ContentType = "application/json",
            Retain = true,
            MessageExpirySeconds = (uint)Math.Max(1, left.TotalSeconds),
        });
    }

    /// <summary>What was retained by the run before: the peers of now are not known yet.</summary>
    private void RemoveOld()
    {
        var old = new List<string>();
        using (broker.Subscribe(Every, message => old.Add(message.Topic)))
        {
            // Retained messages have been called back by now; nobody else may publish there.
        }
        foreach (var topic in old)
            Remove(topic);
    }

    private void Remove(string topic) => broker.Publish(new MqttMessage { Topic = topic, Retain = true });
}
