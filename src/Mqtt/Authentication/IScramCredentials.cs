using EdgeFirmware.Mqtt.Broker;

namespace EdgeFirmware.Mqtt.Authentication;

/// <summary>Where <see cref="ScramServerExchange"/> finds users. Called without locks, from many threads at once.</summary>
public interface IScramCredentials
{
    /// <value>What a client is told of a user who does not exist, so that it cannot tell.</value>
    int UsualIterations => ScramCredential.IterationsMin;

    /// <summary>The user, or null when there is none of that name or it may not use this client id or address.</summary>
    /// <param name="userName">As the mechanism transports it; the CONNECT's own user name is in <paramref name="attempt"/>.</param>
    ValueTask<ScramUser?> FindAsync(string userName, ConnectAttempt attempt, CancellationToken cancellation);
}

/// <summary>A user who can prove a password.</summary>
/// <param name="Principal">Who the client is once it has.</param>
public sealed record ScramUser(Principal Principal, ScramCredential Credential);
