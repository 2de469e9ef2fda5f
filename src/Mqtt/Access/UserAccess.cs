using EdgeFirmware.Mqtt.Authentication;
using EdgeFirmware.Mqtt.Broker;

namespace EdgeFirmware.Mqtt.Access;

/// <summary>
/// Users with passwords, checked in CONNECT or by SCRAM-SHA-256, and topic rules. <see cref="Replace"/> exchanges all of them at once; call
/// <see cref="MqttBroker.Review"/> after it, so that it holds for those who are connected.
/// </summary>
public sealed class UserAccess : IBrokerAccess, IScramCredentials, IDisposable
{
    /// <summary>
    /// Rounds for a password that a person chose: about 25 ms on a server's core, 0.1 s on a 32-bit board, for each guess. A credential keeps its
    /// own number.
    /// </summary>
    public const int PasswordIterations = 100_000;

    private readonly PasswordCheck _passwords = new();
    private volatile UserTable _table;

    public UserAccess(UserDirectory directory) => _table = new UserTable(directory, null);

    public UserDirectory Directory => _table.Directory;

    public int UsualIterations => PasswordIterations;

    /// <summary>From now on these users and rules hold. Calls must not overlap.</summary>
    public void Replace(UserDirectory directory)
    {
        _table = new UserTable(directory, _table);
        _passwords.Forget(name => directory.FindUser(name) is not null);
    }

    /// <summary>Whether this client was let in here.</summary>
    public static bool Knows(Principal principal) => principal.Tag is UserGrant;

    /// <summary>What a user with quotas uses; null for one without.</summary>
    public QuotaAccount? AccountOf(User user) => _table.UserAccounts.GetValueOrDefault(user.Name);

    /// <summary>What a tenant with quotas uses; null for one without.</summary>
    public QuotaAccount? AccountOf(Tenant tenant) => _table.TenantAccounts.GetValueOrDefault(tenant.Name);

    public async ValueTask<ConnectVerdict> AuthenticateAsync(ConnectAttempt attempt, CancellationToken cancellation)
    {
        if (attempt.UserName is not { } name) return ConnectVerdict.Refuse(ReasonCode.NotAuthorized);
        if (attempt.Password is not { } password) return ConnectVerdict.Refuse(ReasonCode.BadUserNameOrPassword);
        // Somebody who does not exist takes as long.
        var credential = Directory.FindUser(name)?.Credential ?? ScramCredential.Decoy(name, PasswordIterations);
        return await _passwords.CheckAsync(name, credential, password, cancellation) switch
        {
            PasswordVerdict.Busy => ConnectVerdict.Refuse(ReasonCode.ServerBusy, "Too many log in at once; try again in a moment."),
            PasswordVerdict.Wrong => ConnectVerdict.Refuse(ReasonCode.BadUserNameOrPassword),
            _ => Admit(name, attempt.ClientId, credential.StoredKey) is { } principal
                ? ConnectVerdict.Accept(principal)
                : ConnectVerdict.Refuse(ReasonCode.NotAuthorized, "The user may not connect."),
        };
    }

    /// <summary>A user whom something else has identified, such as a certificate, or an exchange of messages; null when it may not connect.</summary>
    public Principal? Admit(string name, string clientId, ReadOnlyMemory<byte>? storedKey = null) => _table.Admit(name, clientId, storedKey);

    public IAuthenticationExchange? BeginAuthentication(string method, ConnectAttempt attempt) =>
        method == ScramServerExchange.Method ? new ScramServerExchange(this, attempt) : null;

    public ValueTask<ScramUser?> FindAsync(string userName, ConnectAttempt attempt, CancellationToken cancellation) =>
        ValueTask.FromResult(Directory.FindUser(userName)?.Credential is { } credential && Admit(userName, attempt.ClientId, credential.StoredKey) is { } principal
            ? new ScramUser(principal, credential)
            : null);

    public bool MayPublish(Principal principal, string topic) => principal.Tag is UserGrant grant && grant.Rules.MayWrite(topic);

    public bool MayRetain(Principal principal, string topic) => principal.Tag is UserGrant grant && grant.Rules.MayRetain(topic);

    public bool MaySubscribe(Principal principal, string filter) => principal.Tag is UserGrant grant && grant.Rules.MaySubscribe(filter);

    /// <summary>A session is its user's alone.</summary>
    public bool MayInherit(Principal principal, string owner) => false;

    public PrincipalReview Review(Principal principal, string clientId)
    {
        var table = _table;
        var grant = principal.Tag as UserGrant;
        if (grant is not null && ReferenceEquals(grant.Table, table) && grant.ClientId == clientId) return PrincipalReview.Keep(principal);
        if (table.Directory.FindUser(principal.Name) is null) return PrincipalReview.End;
        return table.Admit(principal.Name, clientId, grant?.StoredKey) is { } still ? PrincipalReview.Keep(still) : PrincipalReview.Disconnect;
    }

    public void Dispose() => _passwords.Dispose();
}
