using EdgeFirmware.Mqtt.Access;
using EdgeFirmware.Mqtt.Authentication;
using EdgeFirmware.Mqtt.Bridge;
using EdgeFirmware.Mqtt.Packets;
using EdgeFirmware.Mqtt.Sessions;
using EdgeFirmware.Mqtt.Transport;

namespace EdgeFirmware.Mqtt.Broker;

/// <summary>From the first byte to CONNACK: the first packet must be a CONNECT (MQTT 5 section 3.1) that the access rules accept.</summary>
internal static class ConnectHandshake
{
    /// <summary>The client's dispatch, or null when it was refused; then the answer has been written.</summary>
    /// <param name="learned">Told the version as soon as it is known.</param>
    public static async Task<PacketDispatch?> RunAsync(BrokerConnection connection, Action<ProtocolVersion> learned)
    {
        if (!await OpenAsync(connection)) return null;
        // Nonsense, and anything else before CONNECT, is closed without a word [MQTT-3.1.0-1].
        if (await connection.ReceiveFrameAsync(connection.Broker.Options.Limits.ConnectPacketBytesMax) is not { } found) return null;
        if (found.Status != FrameStatus.Complete || found.Frame.First >> 4 != (int)PacketType.Connect) return null;
        var failure = connection.Take(found.Frame, out var packet, out var level);
        if (failure != ReasonCode.Success || packet is not ConnectPacket connect)
        {
            // Not MQTT by its name: no answer would be understood [MQTT-3.1.2-1].
            if (level is null) return null;
            if (level >= (int)ProtocolVersion.V5) learned(ProtocolVersion.V5);
            Refuse(connection, ConnectVerdict.Refuse(failure));
            return null;
        }

        learned(connect.Version);
        connection.PacketBytesMax = connect.Properties.MaximumPacketBytes ?? uint.MaxValue;
        connection.ProblemInformation = connect.Properties.RequestProblemInformation ?? true;
        return await AcceptAsync(connection, connect);
    }

    /// <summary>What counts for this client: its own keep-alive, or ours where it is told so.</summary>
    public static TimeSpan KeepAliveOf(ConnectPacket connect, BrokerLimits limits)
    {
        var asked = TimeSpan.FromSeconds(connect.KeepAliveSeconds);
        var tooLong = limits.KeepAliveMax > TimeSpan.Zero && (asked == TimeSpan.Zero || asked > limits.KeepAliveMax);
        return tooLong && connect.Version == ProtocolVersion.V5 ? TimeSpan.FromSeconds(Math.Ceiling(limits.KeepAliveMax.TotalSeconds)) : asked;
    }

    private static async Task<bool> OpenAsync(BrokerConnection connection)
    {
        try
        {
            await connection.Wire.OpenAsync(connection.Broker.Stopping);
            return true;
        }
        catch (Exception failure) when (Wire.IsGone(failure))
        {
            MqttLog.HandshakeFailed(connection.Broker.Logger, connection.RemoteAddress, failure.Message);
            return false;
        }
    }

    private static async Task<PacketDispatch?> AcceptAsync(BrokerConnection connection, ConnectPacket connect)
    {
        var broker = connection.Broker;
        var objection = Objection(connect, broker);
        if (objection != ReasonCode.Success)
        {
            Refuse(connection, ConnectVerdict.Refuse(objection));
            return null;
        }

        var attempt = new ConnectAttempt(
            connect.ClientId, connect.UserName, connect.Password, connection.RemoteAddress, connection.Trusted, connect.Version)
        {
            Transport = connection.Wire.Kind, CertificateName = connection.Wire.CertificateName,
        };
        if (await AuthenticateAsync(connection, connect, attempt) is not { Verdict: { } verdict } authenticated) return null;
        if (verdict.Principal is not { } principal)
        {
            Refuse(connection, verdict.Reason.IsFailure() ? verdict : ConnectVerdict.Refuse(ReasonCode.NotAuthorized));
            return null;
        }

        if (connect.Will is { } will && !IsNotification(connect, will.Message.Topic, broker) && !MayPublish(broker, principal, will.Message))
        {
            Refuse(connection, ConnectVerdict.Refuse(ReasonCode.NotAuthorized, "The will's topic is not this client's to publish to."));
            return null;
        }

        if (!broker.Restored.IsCompleted) await broker.Restored;
        return Accept(connection, connect, attempt, principal, authenticated.Data);
    }

    private static async Task<AuthenticationStep?> AuthenticateAsync(BrokerConnection connection, ConnectPacket connect, ConnectAttempt attempt)
    {
        if (connect.Properties.AuthenticationMethod is not null) return await EnhancedAuthentication.RunAsync(connection, connect, attempt);
        // Judging a password takes its time: not on the thread that serves everybody.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        return AuthenticationStep.Finish(await connection.Broker.Options.Access.AuthenticateAsync(attempt, connection.Broker.Stopping));
    }

    private static ReasonCode Objection(ConnectPacket connect, MqttBroker broker)
    {
        var limits = broker.Options.Limits;
        if (BridgeSession.Owns(connect.ClientId)) return ReasonCode.ClientIdentifierNotValid;
        if (connect.ClientId.Length > limits.ClientIdCharsMax)
        {
            broker.Core.Counters.Hit(BrokerLimit.ClientId);
            return ReasonCode.ClientIdentifierNotValid;
        }

        // [MQTT-3.1.3-8] of 3.1.1: without an id there is nothing to come back to.
        if (connect.ClientId.Length == 0 && connect is { Version: ProtocolVersion.V311, CleanStart: false })
        {
            return ReasonCode.ClientIdentifierNotValid;
        }

        if (connect.Will is not { } will || PacketDispatch.TopicFits(will.Message.Topic, limits)) return ReasonCode.Success;
        broker.Core.Counters.Hit(BrokerLimit.Topic);
        return ReasonCode.TopicNameInvalid;
    }

    /// <summary>Whether somebody who is known may have the session of this client id: it may be another's, or the quota of connections used up.</summary>
    public static ReasonCode Objection(ClientInfo client, MqttBroker broker, Turn turn)
    {
        var principal = client.Principal;
        if (broker.Core.OwnerOf(client.ClientId, turn) is { } owner && owner != principal.Name && !broker.Options.Access.MayInherit(principal, owner))
        {
            MqttLog.NotInherited(broker.Logger, client.ClientId, principal.Name, owner);
            return ReasonCode.ClientIdentifierNotValid;
        }

        if (broker.Core.FullFor(client) is not { } full) return ReasonCode.Success;
        full.Meet(QuotaKind.Connections);
        return ReasonCode.QuotaExceeded;
    }

    public static bool MayPublish(MqttBroker broker, Principal principal, MqttMessage message) =>
        !SysTopics.Owns(message.Topic) && AccessReview.MayPublish(broker.Options.Access, principal, message);

    /// <summary>
    /// Where mosquitto's bridges tell the other side whether they are connected. The one topic below $SYS for clients: its own for each that says it is
    /// a bridge, which in version 5 only its will does, unless a bridge of ours has the name.
    /// </summary>
    public static bool IsNotification(ConnectPacket connect, string topic, MqttBroker broker)
    {
        if (!SysTopics.Owns(topic) || (!connect.IsBridge && connect.Will?.Message.Topic != topic)) return false;
        return topic == SysTopics.BridgeState(connect.ClientId) && broker.Bridges.All(bridge => bridge.Name != connect.ClientId);
    }

    private static PacketDispatch? Accept(
        BrokerConnection connection, ConnectPacket connect, ConnectAttempt attempt, Principal principal, ReadOnlyMemory<byte>? authenticationData)
    {
        var broker = connection.Broker;
        var core = broker.Core;
        using var turn = core.Enter();
        var clientId = connect.ClientId.Length > 0 ? connect.ClientId : core.NewClientId();
        // The rules may have changed while it was judged by the old ones.
        if (broker.Options.Access.Review(principal, clientId).Principal is not { } current)
        {
            connection.Write(new ConnAckPacket { Reason = ReasonCode.NotAuthorized });
            return null;
        }

        principal = current;
        var client = new ClientInfo(clientId, principal, connection.RemoteAddress, connection.Trusted, connect.Version);
        switch (Objection(client, broker, turn))
        {
            case ReasonCode.ClientIdentifierNotValid:
                connection.Write(new ConnAckPacket { Reason = ReasonCode.ClientIdentifierNotValid });
                return null;
            case ReasonCode.QuotaExceeded:
                Refuse(connection, ConnectVerdict.Refuse(ReasonCode.QuotaExceeded, "The quota of connections is used up."));
                return null;
        }

        var terms = new SessionTerms(connect.CleanStart, ExpiryOf(connect, broker.Options.Limits), connect.Will);
        if (core.Connect(client, terms, turn) is not { } connected)
        {
            connection.Write(new ConnAckPacket { Reason = ReasonCode.QuotaExceeded });
            return null;
        }

        var properties = connect.Properties;
        var link = new SessionLink(connection, connect.Version)
        {
            ReceiveMaximum = properties.ReceiveMaximum ?? ushort.MaxValue,
            PacketBytesMax = properties.MaximumPacketBytes ?? uint.MaxValue,
            TopicAliasMax = Math.Min(properties.TopicAliasMaximum ?? 0, broker.Options.Limits.TopicAliasMax),
        };
        var answer = new ConnAckPacket
        {
            SessionPresent = connected.Present,
            Properties = connect.Version == ProtocolVersion.V5
                ? Announce(connect, client, terms, broker.Options, authenticationData)
                : PacketProperties.Empty,
        };
        if (connected.Present) AccessReview.Become(connected.Session, principal, broker, turn, new ReviewSummary());
        // A client that cannot take even this can take nothing [MQTT-3.1.2-24], also not what waits in its session [MQTT-3.2.0-1].
        if (!connection.TryWrite(answer)) connection.Abort(ReasonCode.PacketTooLarge);
        core.Attach(connected, client, link, turn);
        return connection.Dispatch = new PacketDispatch(connection, connected.Session, link, connect, attempt);
    }

    /// <summary>What version 5 clients are told of our limits (MQTT 5 section 3.2.2.3).</summary>
    private static PacketProperties Announce(
        ConnectPacket connect, ClientInfo client, SessionTerms terms, BrokerOptions options, ReadOnlyMemory<byte>? authenticationData)
    {
        var limits = options.Limits;
        var keepAlive = (ushort)Math.Min(KeepAliveOf(connect, limits).TotalSeconds, ushort.MaxValue);
        var wantsResponseInformation = connect.Properties.RequestResponseInformation ?? false;
        var asked = TimeSpan.FromSeconds(connect.Properties.SessionExpirySeconds ?? 0);
        return new PacketProperties
        {
            AssignedClientId = connect.ClientId.Length == 0 ? client.ClientId : null,
            SessionExpirySeconds = asked > terms.Expiry ? (uint)terms.Expiry.TotalSeconds : null,
            ServerKeepAliveSeconds = keepAlive == connect.KeepAliveSeconds ? null : keepAlive,
            AuthenticationMethod = connect.Properties.AuthenticationMethod,
            AuthenticationData = authenticationData,
            ResponseInformation = wantsResponseInformation ? options.ResponseInformation?.Replace("%c", client.ClientId, StringComparison.Ordinal) : null,
            ReceiveMaximum = (ushort)Math.Min(limits.ReceiveMax, ushort.MaxValue),
            TopicAliasMaximum = (ushort)limits.TopicAliasMax,
            MaximumPacketBytes = (uint)client.Principal.AccountArray.PacketBytesMax(limits.PacketBytesMax),
            UserProperties = options.Identity is { } identity && BridgeMark.NameIn(connect.Properties.UserProperties) is not null
                ? [new UserProperty(BridgeMark.Broker, identity)]
                : [],
        };
    }

    private static TimeSpan ExpiryOf(ConnectPacket connect, BrokerLimits limits)
    {
        if (connect.Version == ProtocolVersion.V311) return connect.CleanStart ? TimeSpan.Zero : limits.SessionExpiryMax;
        return Capped(connect.Properties.SessionExpirySeconds ?? 0, limits);
    }

    /// <summary>0xFFFFFFFF means "never"; here nothing lives longer than the limit.</summary>
    public static TimeSpan Capped(uint seconds, BrokerLimits limits)
    {
        var asked = TimeSpan.FromSeconds(seconds);
        return asked < limits.SessionExpiryMax ? asked : limits.SessionExpiryMax;
    }

    private static void Refuse(BrokerConnection connection, ConnectVerdict verdict)
    {
        // What was said once when the refusals began does not fill the journal.
        if (verdict.Reason == ReasonCode.ConnectionRateExceeded) MqttLog.ConnectRefusedAgain(connection.Broker.Logger, connection.RemoteAddress, verdict.Reason);
        else MqttLog.ConnectRefused(connection.Broker.Logger, connection.RemoteAddress, verdict.Reason);
        // [MQTT-3.1.4-1] and [MQTT-3.2.2-6] of 3.1.1: what has no return code is closed without a CONNACK.
        if (connection.Version == ProtocolVersion.V311 && ReasonCodes.ToConnectReturnCode(verdict.Reason) is null) return;
        using var turn = connection.Broker.Core.Enter();
        connection.Write(new ConnAckPacket
        {
            Reason = verdict.Reason,
            Properties = new PacketProperties { ReasonString = verdict.ReasonText, ServerReference = verdict.ServerReference },
        });
    }
}
