using System.Text;

namespace EdgeFirmware.Contracts.Messaging;

/// <summary>A message as it is carried between nodes: what an MQTT broker needs to publish it again unchanged.</summary>
/// <param name="Qos">0, 1 or 2.</param>
/// <param name="UserProperties">MQTT 5 user properties in order.</param>
public sealed record SensorMessage(
    string Topic,
    ReadOnlyMemory<byte> Payload,
    byte Qos,
    bool Retain,
    string? ContentType = null,
    string? ResponseTopic = null,
    ReadOnlyMemory<byte> CorrelationData = default,
    IReadOnlyList<KeyValuePair<string, string>>? UserProperties = null)
{
    /// <summary>What it costs to keep; never less than what it takes on the wire between nodes.</summary>
    public int SizeBytes
    {
        get
        {
            var bytes = 64 + SizeOf(Topic) + Payload.Length + SizeOf(ContentType) + SizeOf(ResponseTopic) + CorrelationData.Length;
            foreach (var (name, value) in UserProperties ?? [])
                bytes += 16 + SizeOf(name) + SizeOf(value);
            return bytes;
        }
    }

    private static int SizeOf(string? text) => text is null ? 0 : Encoding.UTF8.GetByteCount(text);
}
