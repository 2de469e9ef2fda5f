using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using EdgeFirmware.Mqtt;
using EdgeFirmware.Mqtt.Client;

namespace EdgeFirmware.Firmware.Cli.Messages;

/// <summary>A message as mosquitto_sub's %j (payload as a string) and %J (payload is JSON itself) have it.</summary>
internal static class MessageJson
{
    /// <returns>False, and nothing written: the payload is to be embedded and is not JSON.</returns>
    public static bool TryWrite(ReceivedMessage received, DateTimeOffset now, bool embed, bool pretty, Stream output)
    {
        var message = received.Message;
        if (embed && !IsJson(message.Payload)) return false;
        var options = new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, Indented = pretty };
        using var json = new Utf8JsonWriter(output, options);
        json.WriteStartObject();
        json.WriteString("tst", TimeFormat.IsoPrecise(now));
        json.WriteString("topic", message.Topic);
        json.WriteNumber("qos", (int)message.QoS);
        json.WriteNumber("retain", message.Retain ? 1 : 0);
        json.WriteNumber("payloadlen", message.Payload.Length);
        if (message.QoS != QoS.AtMostOnce) json.WriteNumber("mid", received.PacketId);
        WriteProperties(json, received);
        if (embed)
        {
            json.WritePropertyName("payload");
            json.WriteRawValue(message.Payload.Span, skipInputValidation: true);
        }
        else
        {
            json.WriteString("payload", Encoding.UTF8.GetString(message.Payload.Span));
        }

        json.WriteEndObject();
        return true;
    }

    private static void WriteProperties(Utf8JsonWriter json, ReceivedMessage received)
    {
        var message = received.Message;
        var any = received.SubscriptionIds.Count > 0 || message.UserProperties.Count > 0 || message.ContentType is not null
            || message.ResponseTopic is not null || message.CorrelationData is not null || message.PayloadFormat is not null
            || message.MessageExpirySeconds is not null;
        if (!any) return;
        json.WriteStartObject("properties");
        foreach (var id in received.SubscriptionIds) json.WriteNumber("subscription-identifier", id);
        if (message.UserProperties.Count > 0)
        {
            json.WriteStartObject("user-properties");
            foreach (var (name, value) in message.UserProperties) json.WriteString(name, value);
            json.WriteEndObject();
        }

        if (message.ContentType is { } type) json.WriteString("content-type", type);
        if (message.ResponseTopic is { } response) json.WriteString("response-topic", response);
        if (message.CorrelationData is { } correlation) json.WriteString("correlation-data", Encoding.UTF8.GetString(correlation.Span));
        if (message.PayloadFormat is { } format) json.WriteNumber("payload-format-indicator", format);
        if (message.MessageExpirySeconds is { } expiry) json.WriteNumber("message-expiry-interval", expiry);
        json.WriteEndObject();
    }

    private static bool IsJson(ReadOnlyMemory<byte> payload)
    {
        try
        {
            using var document = JsonDocument.Parse(payload);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
