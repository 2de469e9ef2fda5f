using EdgeFirmware.Mqtt.Authentication;
using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Broker;

/// <summary>
/// AUTH packets of an accepted client (MQTT 5 section 4.12.1). The connection goes on as it was until the exchange ends: with the new
/// principal, which must have the same name, or with a DISCONNECT.
/// </summary>
internal sealed class Reauthentication(IClientConnection connection, PacketDispatch dispatch, string method, ConnectAttempt attempt)
{
    private IAuthenticationExchange? _exchange;
    private bool _answering;

    /// <summary>Inside a turn. The result says why the connection must end; Success that it goes on.</summary>
    public ReasonCode Handle(ReasonPacket packet, Turn turn)
    {
        if (packet.Properties.AuthenticationMethod != method || _answering) return ReasonCode.ProtocolError;
        switch (packet.Reason)
        {
            case ReasonCode.ReAuthenticate when _exchange is null:
                _exchange = connection.Broker.Options.Access.BeginAuthentication(method, attempt);
                if (_exchange is null) return ReasonCode.BadAuthenticationMethod;
                break;
            case ReasonCode.ContinueAuthentication when _exchange is not null:
                break;
            default:
                return ReasonCode.ProtocolError;
        }

        _answering = true;
        var exchange = _exchange;
        turn.Call(() => Answer(exchange, packet.Properties.AuthenticationData));
        return ReasonCode.Success;
    }

    /// <summary>Outside the lock; other packets of the client are served meanwhile. An exception is a bug and ends the broker.</summary>
    private async void Answer(IAuthenticationExchange exchange, ReadOnlyMemory<byte>? data)
    {
        try
        {
            var step = await exchange.ContinueAsync(data, connection.Broker.Stopping);
            using var turn = connection.Broker.Core.Enter();
            if (ReferenceEquals(dispatch.Session.Link, dispatch.Link)) Apply(step, turn);
        }
        catch (OperationCanceledException)
        {
            // The broker stops, and so does the connection.
        }
        catch (Exception bug)
        {
            connection.Broker.Fail(bug);
        }
    }

    private void Apply(AuthenticationStep step, Turn turn)
    {
        _answering = false;
        if (step.Verdict is not { } verdict)
        {
            connection.Write(EnhancedAuthentication.Packet(ReasonCode.ContinueAuthentication, method, step.Data));
            return;
        }

        _exchange = null;
        if (verdict.Principal is not { } principal || principal.Name != dispatch.Client.Principal.Name)
        {
            connection.Abort(verdict.Reason.IsFailure() ? verdict.Reason : ReasonCode.NotAuthorized);
            return;
        }

        AccessReview.Become(dispatch.Session, principal, connection.Broker, turn, new ReviewSummary());
        connection.Write(EnhancedAuthentication.Packet(ReasonCode.Success, method, step.Data));
    }
}
