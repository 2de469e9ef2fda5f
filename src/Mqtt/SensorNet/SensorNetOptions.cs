using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Topics;

namespace EdgeFirmware.Mqtt.SensorNet;

/// <summary>What an MQTT-SN gateway is given when it starts. The bounds suit a few hundred sensors on a board with 512 MB.</summary>
public sealed class SensorNetOptions
{
    /// <value>
    /// Who a sensor is, by its prefixed client id: MQTT-SN has neither names nor passwords. Null: nobody, it is refused. Called under the broker's lock.
    /// </value>
    public required Func<string, Principal?> Admit { get; set; }

    /// <value>Put before the client ids of sensors, so that none takes the session of somebody else. What it ends with should not be in usual client ids.</value>
    public string ClientIdPrefix { get; set; } = "sn:";

    public IReadOnlyList<PredefinedTopic> PredefinedTopics { get; set; } = [];

    /// <value>By which sensors tell gateways apart.</value>
    public byte GatewayId { get; set; } = 1;

    /// <value>Sessions of sensors, connected, asleep or away. Those that come back are always let in.</value>
    public int ClientsMax { get; set; } = 1000;

    /// <value>Registered topics of one sensor.</value>
    public int TopicsMax { get; set; } = 256;

    /// <value>Messages of any QoS that wait for one sensor, for example while it sleeps. Those of QoS 0 are dropped first.</value>
    public int QueuedMessagesMax { get; set; } = 100;

    /// <value>Their size with what keeps them, and of those delivered in one awakening.</value>
    public long QueuedBytesMax { get; set; } = 256 << 10;

    /// <value>One datagram, either way: IPv6's smallest MTU of 1280 bytes less the headers of IPv6 and UDP.</value>
    public int PacketBytesMax { get; set; } = 1232;

    /// <value>Messages of QoS 1 and 2 from one sensor whose acknowledgement is due.</value>
    public int ReceiveMax { get; set; } = 16;

    /// <value>After so long in silence a message is repeated: T_retry, 10 to 15 s (MQTT-SN 1.2 section 7.2).</value>
    public TimeSpan RetryInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <value>Repetitions before the sensor is taken for lost: N_retry, 3 to 5 (section 7.2).</value>
    public int RetriesMax { get; set; } = 4;

    /// <value>From CONNECT to WILLMSG.</value>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <value>Connects in a second, and five times as many at once: anybody can make up addresses and client ids. Over it they are not answered.</value>
    public int ConnectsPerSecond { get; set; } = 20;

    /// <value>Answers in a second to those who are not connected, and five times as many at once.</value>
    public int AnswersPerSecond { get; set; } = 20;

    /// <value>Messages of QoS -1 in a second, and five times as many at once: from who knows whom.</value>
    public int UnconnectedPerSecond { get; set; } = 50;

    /// <value>Of sensors with no keep-alive: they would be there for ever.</value>
    public TimeSpan SilenceMax { get; set; } = TimeSpan.FromDays(1);

    /// <value>How long a session that is not clean waits for its sensor.</value>
    public TimeSpan SessionExpiryMax { get; set; } = TimeSpan.FromDays(1);

    /// <value>What is wrong with it.</value>
    public IEnumerable<string> Faults
    {
        get
        {
            if (ClientIdPrefix.Length == 0) yield return "the prefix of client ids is empty";
            if (PacketBytesMax is < 64 or > 65_000) yield return "a datagram has 64 to 65000 bytes";
            if (RetryInterval < TimeSpan.FromSeconds(1)) yield return "a message is repeated after a second at the earliest";
            var ids = new Dictionary<ushort, string>();
            foreach (var topic in PredefinedTopics)
            {
                if (topic.Id is 0 or ushort.MaxValue) yield return $"the predefined topic id {topic.Id} is reserved";
                if (!TopicName.IsValid(topic.Name)) yield return $"'{topic.Name}' is no topic name";
                if (!ids.TryAdd(topic.Id, topic.Name)) yield return $"the predefined topic id {topic.Id} is used twice";
            }
        }
    }
}
