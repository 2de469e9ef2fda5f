using EdgeFirmware.Samples.Mqtt;

string[] usage =
[
    "mqtt-samples broker PORT DIRECTORY                     a broker of one's own, durable",
    "mqtt-samples publish HOST PORT DIRECTORY PREFIX COUNT  messages that outlive this process",
    "mqtt-samples rpc                                       requests and their answers",
    "mqtt-samples bridge PORT DIRECTORY HOST PORT           a broker that forwards everything to another one",
];

using var stopping = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stopping.Cancel();
};
try
{
    switch (args)
    {
        case ["broker", var port, var directory]: await EmbeddedBroker.RunAsync(Number(port), directory, stopping.Token); break;
        case ["publish", var host, var port, var directory, var prefix, var count]:
            await PatientPublisher.RunAsync(host, Number(port), directory, prefix, Number(count), stopping.Token);
            break;
        case ["rpc"]: await Calculator.RunAsync(stopping.Token); break;
        case ["bridge", var port, var directory, var host, var remotePort]:
            await BridgedBroker.RunAsync(Number(port), directory, host, Number(remotePort), stopping.Token);
            break;
        default:
            foreach (var line in usage) Console.Error.WriteLine(line);
            return 2;
    }
}
catch (OperationCanceledException) when (stopping.IsCancellationRequested)
{
    // Ctrl+C.
}

return 0;

static int Number(string text) => int.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
