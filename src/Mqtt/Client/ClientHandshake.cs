using System.Text;
using EdgeFirmware.Mqtt.Authentication;
using EdgeFirmware.Mqtt.Packets;
using EdgeFirmware.Mqtt.Transport;

namespace EdgeFirmware.Mqtt.Client;

/// <summary>Opens a connection and exchanges CONNECT and CONNACK.</summary>
internal static class ClientHandshake
{
    /// <exception cref="MqttException">No connection, no answer in time, or an answer that is no CONNACK.</exception>
    public static async Task<(ClientConnection Connection, ConnAckPacket Answer, List<Packet> Behind)> RunAsync(
        MqttClientOptions options, ConnectPacket connect, Action onDrained, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(options.ConnectTimeout, options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation);
        ClientConnection? connection = null;
        try
        {
            var wire = await ClientWire.OpenAsync(options, either.Token);
            connection = new ClientConnection(wire, options.Version, options.PacketBytesMax, onDrained);
            using var abort = either.Token.Register(connection.Dispose);
            connection.Write(connect);
            connection.Flush();
            while (true)
            {
                var packets = await connection.ReceiveAsync();
                switch (packets)
                {
                    case [ConnAckPacket answer, ..]:
                        Check(options, connect, answer);
                        return (connection, answer, packets[1..]);
                    case [ReasonPacket { Type: PacketType.Auth, Reason: ReasonCode.ContinueAuthentication } challenge]:
                        connection.Write(Answer(options.Authentication, challenge));
                        connection.Flush();
                        break;
                    default:
                        throw new MqttException(connection.Failure == ReasonCode.Success
                            ? "The broker closed the connection without an answer."
                            : $"The broker's answer is none: {connection.Failure}.");
                }
            }
        }
        catch (Exception failure) when (Wire.IsGone(failure) || failure is OperationCanceledException)
        {
            connection?.Dispose();
            cancellation.ThrowIfCancellationRequested();
            var cause = timeout.IsCancellationRequested ? "no answer in time" : failure.Message;
            throw new MqttException($"No connection to {options.Server}: {cause}", failure);
        }
        catch
        {
            connection?.Dispose();
            throw;
        }
    }

    /// <summary>The AUTH that answers a challenge.</summary>
    /// <exception cref="MqttException">Nobody asked for one, or the broker is not to be trusted.</exception>
    public static ReasonPacket Answer(IClientAuthentication? authentication, ReasonPacket challenge)
    {
        var response = authentication is not null && challenge.Properties.AuthenticationMethod == authentication.Method
            ? authentication.Respond(challenge.Properties.AuthenticationData)
            : null;
        return response is null
            ? throw new MqttException("The broker could not be authenticated.")
            : Auth(ReasonCode.ContinueAuthentication, authentication!.Method, response);
    }

    public static ReasonPacket Auth(ReasonCode reason, string method, ReadOnlyMemory<byte>? data) => new(PacketType.Auth)
    {
        Reason = reason,
        Properties = new PacketProperties { AuthenticationMethod = method, AuthenticationData = data },
    };

    /// <exception cref="MqttException">The broker claims a session it was to forget [MQTT-3.2.2-4], or did not prove itself.</exception>
    private static void Check(MqttClientOptions options, ConnectPacket connect, ConnAckPacket answer)
    {
        if (answer.Reason.IsFailure()) return;
        if (connect.CleanStart && answer.SessionPresent) throw new MqttException("The broker resumed a session it was asked to forget.");
        if (answer.Properties.AuthenticationMethod != options.Authentication?.Method
            || (options.Authentication is { } authentication && !authentication.Verify(answer.Properties.AuthenticationData)))
        {
            throw new MqttException("The broker could not be authenticated.");
        }
    }

    public static ConnectPacket Request(MqttClientOptions options, string clientId, bool cleanStart, bool isBridge = false) => new()
    {
        IsBridge = isBridge,
        Version = options.Version,
        ClientId = clientId,
        CleanStart = cleanStart,
        KeepAliveSeconds = (ushort)Math.Clamp(Math.Ceiling(options.KeepAlive.TotalSeconds), 0, ushort.MaxValue),
        Will = options.Will,
        UserName = options.UserName,
        Password = options.Password is { } password ? Encoding.UTF8.GetBytes(password) : default(ReadOnlyMemory<byte>?),
        Properties = options.Version == ProtocolVersion.V311 ? PacketProperties.Empty : new PacketProperties
        {
            SessionExpirySeconds = options.KeptSessionExpirySeconds == 0 ? null : options.KeptSessionExpirySeconds,
            ReceiveMaximum = options.ReceiveMaximum,
            TopicAliasMaximum = options.TopicAliasMaximum == 0 ? null : options.TopicAliasMaximum,
            MaximumPacketBytes = (uint)options.PacketBytesMax,
            RequestResponseInformation = options.RequestResponseInformation ? true : null,
            RequestProblemInformation = options.RequestProblemInformation,
            UserProperties = options.UserProperties,
            AuthenticationMethod = options.Authentication?.Method,
            AuthenticationData = options.Authentication?.Start(),
        },
    };
}
