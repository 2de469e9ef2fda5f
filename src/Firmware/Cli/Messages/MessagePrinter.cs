using System.Text;
using System.Text.Json.Nodes;
using EdgeFirmware.Mqtt;
using EdgeFirmware.Mqtt.Client;

namespace EdgeFirmware.Firmware.Cli.Messages;

/// <summary>Writes messages in the way the flags ask for, payloads byte for byte.</summary>
internal sealed class MessagePrinter(MessageFlags flags, Stream output, TextWriter error, TimeProvider time)
{
    public void Print(ReceivedMessage received)
    {
        var message = received.Message;
        if (flags.Json) Write(JsonOf(message));
        else if (flags.Format is { } format) Print(format, received);
        else if (flags.Verbose) Print($"{message.Topic} ", message, "(null)");
        else if (!message.Payload.IsEmpty) Print(string.Empty, message, string.Empty);
        else return;
        if (!flags.NoEndOfLine) output.WriteByte((byte)'\n');
        output.Flush();
    }

    private void Print(MessageFormat format, ReceivedMessage received)
    {
        if (!format.TryWrite(received, time.GetLocalNow(), flags.Pretty, output))
            error.WriteLine($"Error: Message payload is not valid JSON on topic {received.Message.Topic}.");
    }

    /// <param name="nothing">Stands for an empty payload.</param>
    private void Print(string before, MqttMessage message, string nothing)
    {
        Write(before);
        if (message.Payload.IsEmpty) Write(nothing);
        else output.Write(message.Payload.Span);
    }

    private static string JsonOf(MqttMessage message) => new JsonObject
    {
        ["topic"] = message.Topic,
        ["payload"] = Encoding.UTF8.GetString(message.Payload.Span),
        ["qos"] = (int)message.QoS,
        ["retain"] = message.Retain,
    }.ToJsonString();

    private void Write(string text) => output.Write(Encoding.UTF8.GetBytes(text));
}
