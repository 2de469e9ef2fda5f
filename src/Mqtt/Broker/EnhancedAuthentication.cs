using EdgeFirmware.Mqtt.Authentication;
using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Broker;

/// <summary>The exchange of AUTH packets between CONNECT and CONNACK (MQTT 5 section 4.12).</summary>
internal static class EnhancedAuthentication
{
    /// <summary>The longest mechanisms in use need three; without a bound a client could keep the exchange going for ever.</summary>
    private const int StepsMax = 8;

    /// <summary>The verdict, with what goes into the CONNACK; null when the client left or must be closed without an answer.</summary>
    public static async Task<AuthenticationStep?> RunAsync(BrokerConnection connection, ConnectPacket connect, ConnectAttempt attempt)
    {
        var broker = connection.Broker;
        var method = connect.Properties.AuthenticationMethod!;
        if (broker.Options.Access.BeginAuthentication(method, attempt) is not { } exchange)
        {
            return AuthenticationStep.Refuse(ReasonCode.BadAuthenticationMethod);
        }

        var data = connect.Properties.AuthenticationData;
        for (var steps = 0; steps < StepsMax; steps++)
        {
            var step = await exchange.ContinueAsync(data, broker.Stopping);
            if (step.Verdict is not null) return step;
            if (!Challenge(connection, method, step.Data)) return null;
            if (await connection.ReceiveFrameAsync(broker.Options.Limits.ConnectPacketBytesMax) is not { } found) return null;
            if (found.Status != FrameStatus.Complete) return AuthenticationStep.Refuse(BrokerConnection.ReasonOf(found.Status));
            var failure = connection.Take(found.Frame, out var packet, out _);
            if (failure != ReasonCode.Success) return AuthenticationStep.Refuse(failure);
            if (packet is ReasonPacket { Type: PacketType.Disconnect }) return null;
            // [MQTT-3.1.2-30], [MQTT-4.12.0-3], [MQTT-4.12.0-5]
            if (!IsAnswer(packet, method)) return AuthenticationStep.Refuse(ReasonCode.ProtocolError);
            data = packet!.Properties.AuthenticationData;
        }

        return AuthenticationStep.Refuse(ReasonCode.NotAuthorized);
    }

    public static ReasonPacket Packet(ReasonCode reason, string method, ReadOnlyMemory<byte>? data) => new(PacketType.Auth)
    {
        Reason = reason,
        Properties = new PacketProperties { AuthenticationMethod = method, AuthenticationData = data },
    };

    private static bool Challenge(BrokerConnection connection, string method, ReadOnlyMemory<byte>? data)
    {
        using var turn = connection.Broker.Core.Enter();
        return connection.TryWrite(Packet(ReasonCode.ContinueAuthentication, method, data));
    }

    private static bool IsAnswer(Packet? packet, string method) =>
        packet is ReasonPacket { Type: PacketType.Auth, Reason: ReasonCode.ContinueAuthentication } && packet.Properties.AuthenticationMethod == method;
}
