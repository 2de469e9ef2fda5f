namespace EdgeFirmware.Mqtt.Broker;

/// <summary>Everybody may do everything.</summary>
public sealed class AnonymousAccess : IBrokerAccess
{
    public static readonly AnonymousAccess Instance = new();

    public ValueTask<ConnectVerdict> AuthenticateAsync(ConnectAttempt attempt, CancellationToken cancellation) =>
        ValueTask.FromResult(ConnectVerdict.Accept(attempt.UserName is { } name ? new Principal(name) : Principal.Anonymous));

    public bool MayPublish(Principal principal, string topic) => true;

    public bool MaySubscribe(Principal principal, string filter) => true;
}
