using System.Globalization;
using System.Net;
using EdgeFirmware.Firmware.Broker;
using EdgeFirmware.Mqtt.SensorNet;
using EdgeFirmware.Mqtt.Topics;

namespace EdgeFirmware.Firmware.Configuration;

/// <summary>Checks the section <c>Mqtt.SensorNet</c>.</summary>
/// <param name="faults">Where every fault is added.</param>
internal sealed class SensorNetReader(List<string> faults)
{
    private const string Path = "Mqtt.SensorNet";
    private const int TopicsMax = 1024;

    /// <param name="listen">Null: not given, as is every other key; then there is no gateway, and the others are for nothing.</param>
    public SensorNetConfiguration? Read(List<IPEndPoint>? listen, string? user, bool allowsAnonymous, IReadOnlyList<string>? topics, int? gatewayId)
    {
        var predefined = Topics(topics ?? []);
        if (gatewayId is < 1 or > byte.MaxValue)
            faults.Add($"{Path}.GatewayId: {gatewayId} is not from 1 to 255");
        if (listen is null)
        {
            if (user is not null || topics is not null || gatewayId is not null)
                faults.Add($"{Path}.Listen: missing; without an address there is no gateway, and the other keys are for nothing");
            return null;
        }
        if (user is null && !allowsAnonymous)
            faults.Add($"{Path}.User: missing; MQTT-SN has no passwords, so the user has to be named whose rights all sensors have, or Mqtt.AllowAnonymous be true");
        if (user is not null && NodeAccess.IsReserved(user))
            faults.Add($"{Path}.User: '{user}' may do everything, and sensors prove nothing; make a user of their own");
        return new SensorNetConfiguration(listen, user, predefined, (byte)(gatewayId ?? 1));
    }

    private List<PredefinedTopic> Topics(IReadOnlyList<string> texts)
    {
        if (texts.Count > TopicsMax)
            faults.Add($"{Path}.PredefinedTopics: more than {TopicsMax}");
        var topics = new List<PredefinedTopic>();
        var ids = new HashSet<string>();
        foreach (var text in texts)
        {
            var at = text.IndexOf('=', StringComparison.Ordinal);
            if (at <= 0 || !ushort.TryParse(text.AsSpan(0, at), NumberStyles.None, CultureInfo.InvariantCulture, out var id)
                || id is 0 or ushort.MaxValue || !TopicName.IsValid(text.AsSpan(at + 1)))
                faults.Add($"{Path}.PredefinedTopics: '{text}' is not ID=TOPIC with an ID from 1 to 65534, for example 1=sensors/a");
            else if (!ids.Add(text[..at]))
                faults.Add($"{Path}.PredefinedTopics: {id} is given twice");
            else
                topics.Add(new PredefinedTopic(id, text[(at + 1)..]));
        }
        return topics;
    }
}
