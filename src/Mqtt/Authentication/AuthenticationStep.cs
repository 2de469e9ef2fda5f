using EdgeFirmware.Mqtt.Broker;

namespace EdgeFirmware.Mqtt.Authentication;

/// <summary>What an <see cref="IAuthenticationExchange"/> answers to one message of the client.</summary>
public readonly record struct AuthenticationStep
{
    /// <summary>Goes to the client: in an AUTH while the exchange continues, in the CONNACK or last AUTH when it ends well.</summary>
    public ReadOnlyMemory<byte>? Data { get; private init; }

    /// <summary>Null while the exchange continues.</summary>
    public ConnectVerdict? Verdict { get; private init; }

    public static AuthenticationStep Continue(ReadOnlyMemory<byte> challenge) => new() { Data = challenge };

    /// <summary>Ends an exchange with any verdict, such as a redirection.</summary>
    public static AuthenticationStep Finish(ConnectVerdict verdict) => new() { Verdict = verdict };

    /// <param name="data">What proves the broker to the client; null for nothing.</param>
    public static AuthenticationStep Accept(Principal principal, ReadOnlyMemory<byte>? data = null) =>
        new() { Data = data, Verdict = ConnectVerdict.Accept(principal) };

    /// <param name="reason">A failure, usually <see cref="ReasonCode.NotAuthorized"/>.</param>
    public static AuthenticationStep Refuse(ReasonCode reason) => new() { Verdict = ConnectVerdict.Refuse(reason) };
}
