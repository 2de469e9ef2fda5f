using System.Runtime.InteropServices;
using System.Text;
using EdgeFirmware.Mqtt;
using EdgeFirmware.Mqtt.Client;
using EdgeFirmware.Samples.Convolution;

// SIGTERM may come at any moment: whatever has no acknowledgement yet is delivered again to the next copy.
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
{
    context.Cancel = true;
    Environment.Exit(0);
});

var output = Setting("EDGE_OUTPUTS").Split(',')[0];
var inputs = Setting("EDGE_INPUTS").Split(',').Select(filter => new TopicSubscription(filter, QoS.AtLeastOnce)).ToList();
var processed = ProcessedCount.In("/state");
while (true)
{
    await using var broker = new MqttClient(new MqttClientOptions
    {
        Server = MqttClientOptions.Tcp(Setting("EDGE_MQTT_HOST"), int.Parse(Setting("EDGE_MQTT_PORT"))),
        ClientId = Setting("EDGE_MQTT_CLIENT_ID"),
        UserName = Environment.GetEnvironmentVariable("EDGE_MQTT_USER"),
        Password = Environment.GetEnvironmentVariable("EDGE_MQTT_PASSWORD"),
        // The broker keeps what comes while we are away, and gives us one message at a time.
        CleanStart = false,
        SessionExpirySeconds = 3600,
        ReceiveMaximum = 1,
        KeepAlive = TimeSpan.FromSeconds(20),
        AcknowledgeManually = true,
    });
    try
    {
        var connected = await broker.ConnectAsync();
        if (!connected.IsAccepted)
            throw new MqttException($"refused: {connected.Reason} {connected.ReasonText}");
        if ((await broker.SubscribeAsync(inputs)).FirstOrDefault(reason => reason.IsFailure()) is var refused && refused.IsFailure())
            throw new MqttException($"subscription refused: {refused}");
        Console.WriteLine($"connected as {connected.ClientId}, {processed.Value} messages processed before");
        await WorkAsync(broker);
    }
    catch (MqttException exception)
    {
        Console.Error.WriteLine($"no broker: {exception.Message}");
    }
    await Task.Delay(TimeSpan.FromMilliseconds(50));
}

async Task WorkAsync(MqttClient broker)
{
    var matrix = new int[SensorMatrix.Elements];
    var result = new int[SensorMatrix.Elements];
    while (true)
    {
        var input = await broker.ReceiveAsync();
        if (SensorMatrix.TryParse(input.Message.Payload.Span, out var number, matrix))
        {
            WindowedConvolution.Apply(matrix, result);
            var text = $"{number} {WindowedConvolution.Checksum(result):x8} {Environment.MachineName} {Environment.ProcessId} {processed.Value + 1}";
            var taken = await broker.PublishAsync(new MqttMessage { Topic = output, Payload = Encoding.ASCII.GetBytes(text), QoS = QoS.AtLeastOnce });
            if (taken.IsFailure())
                throw new MqttException($"result refused: {taken}");
            processed.Increment();
        }
        else
        {
            Console.Error.WriteLine($"not a sensor matrix: {input.Message.Payload.Length} bytes on {input.Message.Topic}");
        }
        // Last: should this copy end before, another one does the message again and nothing is lost.
        input.Acknowledge();
    }
}

static string Setting(string name) =>
    Environment.GetEnvironmentVariable(name) is { Length: > 0 } value
        ? value
        : throw new InvalidOperationException($"{name} is not set: this program is started by edge-firmware as a workload");
