using System.Text;

namespace EdgeFirmware.Mqtt.Client;

/// <summary>
/// The five calls an application on an edge node needs (the platform's papers, Table 1), over a <see cref="MqttClient"/>:
/// <list type="table">
/// <item><term>connect(deviceID, topic)</term><description><see cref="ConnectAsync"/></description></item>
/// <item><term>getMessage(fileSrc), sendFile</term><description><see cref="GetMessageAsync"/> or <see cref="GetMessage"/>, then <see cref="SendAsync"/></description></item>
/// <item><term>receiveQ</term><description><see cref="ReceiveQueued"/></description></item>
/// <item><term>receiveSingle</term><description><see cref="ReceiveSingleAsync"/></description></item>
/// <item><term>disconnect()</term><description><see cref="DisposeAsync"/></description></item>
/// </list>
/// Everything goes with QoS 2 on both hops: with a directory a message leaves it only after PUBREC, PUBREL and PUBCOMP.
/// </summary>
public sealed class DeviceChannel : IAsyncDisposable
{
    private readonly MqttClient _client;
    private readonly string _topic;

    private DeviceChannel(MqttClient client, string topic)
    {
        _client = client;
        _topic = topic;
    }

    public MqttClient Client => _client;

    /// <summary>Connects under the device's id and subscribes to the topic. Waits for the broker, however long it takes.</summary>
    /// <param name="deviceId">Client id; its session, with what is queued for it, is resumed.</param>
    /// <param name="topic">What is sent goes there, and what others send there is received.</param>
    /// <param name="configure">For the server's address, credentials, or a directory that keeps messages.</param>
    /// <exception cref="MqttException">The broker refuses the subscription, or the directory cannot be used.</exception>
    public static async Task<DeviceChannel> ConnectAsync(
        string deviceId, string topic, Action<MqttClientOptions>? configure = null, CancellationToken cancellation = default)
    {
        var options = new MqttClientOptions
        {
            ClientId = deviceId, CleanStart = false, SessionExpirySeconds = uint.MaxValue, Reconnect = true, WhenQueueIsFull = FullQueue.Wait,
        };
        configure?.Invoke(options);
        var client = new MqttClient(options);
        try
        {
            client.Start();
            var wanted = new TopicSubscription(topic, new SubscriptionOptions(QoS.ExactlyOnce, NoLocal: true));
            var reason = (await client.SubscribeAsync([wanted], cancellation))[0];
            return reason.IsFailure() ? throw new MqttException($"The broker refuses {topic}: {reason}.") : new DeviceChannel(client, topic);
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }
    }

    /// <summary>A message with a file's content.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="ArgumentException">It is larger than a packet may be.</exception>
    public async Task<MqttMessage> GetMessageAsync(string path, CancellationToken cancellation = default)
    {
        if (new FileInfo(path) is { Exists: true, Length: var length } && length > _client.Options.PacketBytesMax)
            throw new ArgumentException($"{path} has {length} bytes and a packet {_client.Options.PacketBytesMax} at most.", nameof(path));
        return MessageOf(await File.ReadAllBytesAsync(path, cancellation)) with { ContentType = "application/octet-stream" };
    }

    /// <summary>A message with a text.</summary>
    public MqttMessage GetMessage(string text) => MessageOf(Encoding.UTF8.GetBytes(text)) with { PayloadFormat = 1 };

    /// <summary>Sends it; completes when the queue has it, which with a directory means the disk. The result says whether.</summary>
    /// <exception cref="MqttException">The channel was closed.</exception>
    public Task<ReasonCode> SendAsync(MqttMessage message, CancellationToken cancellation = default) => _client.EnqueueAsync(message, cancellation);

    /// <summary>Everything that has come and was not taken yet.</summary>
    public IReadOnlyList<MqttMessage> ReceiveQueued()
    {
        var queued = new List<MqttMessage>();
        while (_client.TryReceive() is { } received) queued.Add(received.Message);
        return queued;
    }

    /// <summary>One message; waits for it.</summary>
    /// <exception cref="MqttException">The channel was closed.</exception>
    public async ValueTask<MqttMessage> ReceiveSingleAsync(CancellationToken cancellation = default) => (await _client.ReceiveAsync(cancellation)).Message;

    /// <summary>Disconnects. What is queued for the device, and with a directory what it has not sent, waits for it.</summary>
    public ValueTask DisposeAsync() => _client.DisposeAsync();

    private MqttMessage MessageOf(byte[] payload) => new() { Topic = _topic, Payload = payload, QoS = QoS.ExactlyOnce };
}
