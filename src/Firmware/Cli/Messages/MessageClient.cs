using System.Net;
using System.Net.Sockets;
using EdgeFirmware.Firmware.Control;
using EdgeFirmware.Firmware.Operations;
using EdgeFirmware.Mqtt;
using EdgeFirmware.Mqtt.Client;
using EdgeFirmware.Mqtt.Transport.Tls;

namespace EdgeFirmware.Firmware.Cli.Messages;

/// <summary>Connects to the broker that the flags name; without one to the node's own, through its socket.</summary>
internal static class MessageClient
{
    private const int UsualPort = 1883;
    private const int UsualTlsPort = 8883;

    /// <param name="reconnect">Come back after a loss, as who waits for messages wants it.</param>
    /// <exception cref="NodeUnreachableException">Nobody answers at the node's socket.</exception>
    /// <exception cref="OperationRefusedException">The broker refuses the client, or cannot be reached.</exception>
    public static async Task<MqttClient> ConnectAsync(MessageFlags flags, bool reconnect, CancellationToken cancel)
    {
        var server = ServerOf(flags);
        var client = new MqttClient(Options(flags, server, reconnect));
        try
        {
            var result = await client.ConnectAsync(cancel);
            if (result.IsAccepted) return client;
            throw new OperationRefusedException(403, $"the broker refuses the connection: {Explain(result)}");
        }
        catch (MqttException error) when (!flags.NamesBroker)
        {
            await client.DisposeAsync();
            var cause = error.InnerException is SocketException socket ? socket.SocketErrorCode : SocketError.NotConnected;
            throw new NodeUnreachableException(server.ToString()!, cause);
        }
        catch (MqttException error)
        {
            await client.DisposeAsync();
            throw new BrokerUnreachableException(error.Message, error);
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }
    }

    private static EndPoint ServerOf(MessageFlags flags)
    {
        if (flags.UnixPath is { } path) return MqttClientOptions.Unix(path);
        return flags.NamesBroker
            ? MqttClientOptions.Tcp(flags.Host ?? "localhost", flags.Port ?? (flags.Tls ? UsualTlsPort : UsualPort))
            : MqttClientOptions.Unix(Path.Combine(NodeChoice.DataDirectory(flags.Data, flags.Config), "mqtt.sock"));
    }

    private static MqttClientOptions Options(MessageFlags flags, EndPoint server, bool reconnect)
    {
        var asked = flags.Properties;
        var options = new MqttClientOptions
        {
            Server = server,
            Tls = flags.Tls ? TlsOf(flags) : null,
            Version = flags.Version,
            ClientId = flags.ClientId ?? (flags.ClientIdPrefix is { } prefix ? $"{prefix}{Environment.ProcessId}" : string.Empty),
            UserName = flags.UserName,
            Password = flags.Password,
            CleanStart = !flags.KeepSession,
            SessionExpirySeconds = flags.SessionExpirySeconds ?? asked.SessionExpirySeconds ?? (flags.KeepSession ? uint.MaxValue : 0),
            KeepAlive = TimeSpan.FromSeconds(flags.KeepAliveSeconds),
            Will = WillOf(flags),
            TopicAliasMaximum = asked.TopicAliasMaximum,
            RequestProblemInformation = asked.RequestProblemInformation,
            RequestResponseInformation = asked.RequestResponseInformation,
            UserProperties = asked.Connect,
            LocalAddress = flags.BindAddress is { } address ? AddressOf(address) : null,
            Reconnect = reconnect,
        };
        if (asked.ReceiveMaximum is { } receive) options.ReceiveMaximum = receive;
        options.PacketBytesMax = asked.PacketBytesMax ?? options.PacketBytesMax;
        return options;
    }

    private static TlsClientOptions TlsOf(MessageFlags flags) => new()
    {
        AuthorityFile = flags.AuthorityFile,
        CertificateFile = flags.CertificateFile,
        KeyFile = flags.KeyFile,
        MinimumVersion = flags.TlsVersion,
        AnyServerName = flags.AnyServerName,
    };

    private static LastWill? WillOf(MessageFlags flags) => flags.WillTopic is not { } topic ? null : new LastWill(
        flags.Properties.Will with
        {
            Topic = topic,
            Payload = System.Text.Encoding.UTF8.GetBytes(flags.WillPayload),
            QoS = flags.WillQoS,
            Retain = flags.WillRetain,
        },
        flags.Properties.WillDelaySeconds);

    private static IPAddress AddressOf(string text) =>
        IPAddress.TryParse(text, out var address) ? address : throw new OperationRefusedException(400, $"-A: '{text}' is no address");

    private static string Explain(ConnectResult result) => result switch
    {
        { ServerReference: { } other } => $"{result.Reason}, use {other}",
        { ReasonText: { } text } => $"{result.Reason}, {text}",
        _ => result.Reason.ToString(),
    };
}
