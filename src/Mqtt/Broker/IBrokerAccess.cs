using EdgeFirmware.Mqtt.Authentication;

namespace EdgeFirmware.Mqtt.Broker;

/// <summary>
/// Who may connect and what they may do. Called from many threads at once; everything but the two ways to authenticate also under the broker's lock,
/// so it must not call the broker and must be quick.
/// </summary>
public interface IBrokerAccess
{
    /// <summary>
    /// Judges a CONNECT, also whether this user may use this client id: whoever has the id gets its session and what waits in it.
    /// </summary>
    ValueTask<ConnectVerdict> AuthenticateAsync(ConnectAttempt attempt, CancellationToken cancellation);

    /// <summary>
    /// Begins enhanced authentication (MQTT 5 section 4.12), for a CONNECT that names a method and for a re-authentication; instead of
    /// <see cref="AuthenticateAsync"/>. Null: the method is not offered, which the client is told with 0x8C. For SCRAM-SHA-256 return a
    /// <see cref="ScramServerExchange"/>.
    /// </summary>
    IAuthenticationExchange? BeginAuthentication(string method, ConnectAttempt attempt) => null;

    /// <summary>Called for every PUBLISH, so it must be cheap.</summary>
    bool MayPublish(Principal principal, string topic);

    /// <summary>Whether it may set the retain flag, besides <see cref="MayPublish"/>.</summary>
    bool MayRetain(Principal principal, string topic) => true;

    /// <param name="filter">As the client wrote it, with <c>$share/group/</c> where used.</param>
    bool MaySubscribe(Principal principal, string filter);

    /// <summary>
    /// Whether a session may be taken up by another than the one it belongs to: its subscriptions and what waits in it are his then. A client that
    /// may not is refused its client id.
    /// </summary>
    /// <param name="owner">The principal's name that had it last; never this one's.</param>
    bool MayInherit(Principal principal, string owner) => true;

    /// <summary>
    /// Who a client is under the rules of now, asked when it is let in and by <see cref="MqttBroker.Review"/>.
    /// </summary>
    /// <param name="principal">As it was accepted; of a session from before a restart only the name is known.</param>
    PrincipalReview Review(Principal principal, string clientId) => PrincipalReview.Keep(principal);
}
