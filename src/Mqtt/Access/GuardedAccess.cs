using System.Net;
using EdgeFirmware.Mqtt.Authentication;
using EdgeFirmware.Mqtt.Broker;

namespace EdgeFirmware.Mqtt.Access;

/// <summary>
/// Puts a <see cref="LoginGuard"/> before any access rules. A login fails when it is answered "bad user name or password", or when a SCRAM exchange
/// is refused. Clients of a trusted endpoint, and those that name no user, pass.
/// </summary>
public sealed class GuardedAccess(IBrokerAccess inner, LoginGuard guard) : IBrokerAccess
{
    private static readonly ConnectVerdict Refusal =
        ConnectVerdict.Refuse(ReasonCode.ConnectionRateExceeded, "Too many logins from this address have failed; try again later.");

    public async ValueTask<ConnectVerdict> AuthenticateAsync(ConnectAttempt attempt, CancellationToken cancellation)
    {
        if (attempt.UserName is null || AddressOf(attempt) is not { } address) return await inner.AuthenticateAsync(attempt, cancellation);
        if (!await guard.BeginAsync(address, cancellation)) return Refusal;
        var failed = false;
        try
        {
            var verdict = await inner.AuthenticateAsync(attempt, cancellation);
            failed = verdict.Reason == ReasonCode.BadUserNameOrPassword;
            return verdict;
        }
        finally
        {
            guard.End(address, failed);
        }
    }

    public IAuthenticationExchange? BeginAuthentication(string method, ConnectAttempt attempt)
    {
        var exchange = inner.BeginAuthentication(method, attempt);
        return exchange is null || AddressOf(attempt) is not { } address ? exchange : new GuardedExchange(exchange, guard, address);
    }

    public bool MayPublish(Principal principal, string topic) => inner.MayPublish(principal, topic);

    public bool MayRetain(Principal principal, string topic) => inner.MayRetain(principal, topic);

    public bool MaySubscribe(Principal principal, string filter) => inner.MaySubscribe(principal, filter);

    public bool MayInherit(Principal principal, string owner) => inner.MayInherit(principal, owner);

    public PrincipalReview Review(Principal principal, string clientId) => inner.Review(principal, clientId);

    /// <summary>Null for those whose way in is their authentication.</summary>
    private static IPAddress? AddressOf(ConnectAttempt attempt) =>
        !attempt.Trusted && IPEndPoint.TryParse(attempt.RemoteAddress, out var remote) ? remote.Address : null;

    /// <summary>Counts as one attempt at each message: the client's last one is the guess, and one that stops before it learned nothing.</summary>
    private sealed class GuardedExchange(IAuthenticationExchange exchange, LoginGuard guard, IPAddress address) : IAuthenticationExchange
    {
        public async ValueTask<AuthenticationStep> ContinueAsync(ReadOnlyMemory<byte>? data, CancellationToken cancellation)
        {
            if (!await guard.BeginAsync(address, cancellation)) return AuthenticationStep.Finish(Refusal);
            var failed = false;
            try
            {
                var step = await exchange.ContinueAsync(data, cancellation);
                failed = step.Verdict is { Principal: null };
                return step;
            }
            finally
            {
                guard.End(address, failed);
            }
        }
    }
}
