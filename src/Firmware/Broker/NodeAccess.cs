using EdgeFirmware.Contracts;
using EdgeFirmware.Mqtt;
using EdgeFirmware.Mqtt.Access;
using EdgeFirmware.Mqtt.Authentication;
using EdgeFirmware.Mqtt.Broker;

namespace EdgeFirmware.Firmware.Broker;

/// <summary>Who may use the node's broker: its own command line, the administrator, copies of workloads that this node runs, the users of
/// <c>users.json</c>, and anybody when that is configured.</summary>
internal sealed class NodeAccess(bool allowAnonymous, Func<AdminCredential?> admin, UserAccess users) : IBrokerAccess
{
    /// <summary>A user of this name has no password, but rules and quotas that hold for clients without one.</summary>
    private const string Nobody = "anonymous";

    private static readonly Principal CommandLine = new("edge-firmware");
    private static readonly Principal Administrator = new(AdminCredential.UserName);

    private readonly TaskCompletionSource _workloadsKnown = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile IWorkloadCredentials? _workloads;

    /// <summary>The site's workloads are known.</summary>
    public void WorkloadsAre(IWorkloadCredentials workloads)
    {
        _workloads = workloads;
        _workloadsKnown.TrySetResult();
    }

    public async ValueTask<ConnectVerdict> AuthenticateAsync(ConnectAttempt attempt, CancellationToken cancellation)
    {
        if (attempt.Trusted)
            return ConnectVerdict.Accept(CommandLine);
        // A copy that runs on from before a restart is back before the workloads are known; taken for a stranger, it would stay one.
        if (_workloads is null && WorkloadId.TryParse(attempt.UserName, out _))
            await _workloadsKnown.Task.WaitAsync(cancellation);
        return await JudgeAsync(attempt, cancellation);
    }

    private ValueTask<ConnectVerdict> JudgeAsync(ConnectAttempt attempt, CancellationToken cancellation)
    {
        var password = attempt.Password ?? default;
        // A workload's client ID opens its session, with what waits in it: nobody else may use it.
        if (WorkloadId.TryParse(attempt.ClientId, out var claimed) && _workloads?.IsKnown(claimed) == true && attempt.UserName != claimed.Value)
            return new(ConnectVerdict.Refuse(ReasonCode.ClientIdentifierNotValid));
        if (WorkloadId.TryParse(attempt.UserName, out var workload) && _workloads?.IsKnown(workload) == true)
            return new(_workloads.IsCopy(workload, password.Span)
                ? ConnectVerdict.Accept(new Principal(workload.Value, workload))
                : ConnectVerdict.Refuse(ReasonCode.NotAuthorized)); // a copy that has been fenced
        // A certificate is as good as a password, and with a password that one counts.
        if (attempt.CertificateName is { } subject && attempt.Password is null)
            return new(JudgeCertificate(subject, attempt));
        if (attempt.UserName == AdminCredential.UserName && admin() is { } credential)
            return CheckAdminAsync(credential, attempt.UserName, password, cancellation);
        if (allowAnonymous && (attempt.UserName is null || users.Directory.FindUser(attempt.UserName) is null))
            return new(Anonymous(attempt.ClientId) is { } anybody ? ConnectVerdict.Accept(anybody) : ConnectVerdict.Refuse(ReasonCode.NotAuthorized));
        return users.AuthenticateAsync(attempt, cancellation);
    }

    /// <summary>The same password by a proof of it.</summary>
    public IAuthenticationExchange? BeginAuthentication(string method, ConnectAttempt attempt) =>
        WorkloadId.TryParse(attempt.ClientId, out var claimed) && _workloads?.IsKnown(claimed) == true ? null : users.BeginAuthentication(method, attempt);

    /// <summary>Own control topics are the firmware's to publish.</summary>
    public static bool IsTopicReserved(string topic) => topic.StartsWith('$') || topic.StartsWith("edge/v1/", StringComparison.Ordinal);

    public bool MayPublish(Principal principal, string topic) =>
        !topic.StartsWith('$') && (ReferenceEquals(principal, CommandLine) || !IsTopicReserved(topic))
        && (!UserAccess.Knows(principal) || users.MayPublish(principal, topic));

    public bool MayRetain(Principal principal, string topic) => !UserAccess.Knows(principal) || users.MayRetain(principal, topic);

    public bool MaySubscribe(Principal principal, string filter) => UserAccess.Knows(principal)
        ? users.MaySubscribe(principal, filter)
        : principal.Tag is not WorkloadId || !filter.StartsWith('$') || filter.StartsWith("$share/", StringComparison.Ordinal);

    /// <summary>A user's session is that user's alone. What anybody could have read is anybody's, and a workload's client ID is kept for it.</summary>
    public bool MayInherit(Principal principal, string owner) =>
        owner == Nobody || ReferenceEquals(principal, CommandLine) || ReferenceEquals(principal, Administrator) || principal.Tag is WorkloadId;

    public PrincipalReview Review(Principal principal, string clientId)
    {
        if (principal.Name == Nobody)
            return Anonymous(clientId) is { } anybody ? PrincipalReview.Keep(anybody) : PrincipalReview.Disconnect;
        // Of a session from before a restart only the name is known: of a user's, or of one of the others, who are all of the firmware's making.
        var isUser = UserAccess.Knows(principal) || (principal.Tag is null && users.Directory.FindUser(principal.Name) is not null);
        return isUser ? users.Review(principal, clientId) : PrincipalReview.Keep(principal);
    }

    /// <summary>The subject is the user, whom the operator must have made; names of the firmware's own are nobody's to certify.</summary>
    private ConnectVerdict JudgeCertificate(string subject, ConnectAttempt attempt)
    {
        var isWorkload = WorkloadId.TryParse(subject, out var workload) && _workloads?.IsKnown(workload) == true;
        var isOwn = isWorkload || IsReserved(subject) || subject == Nobody;
        return !isOwn && (attempt.UserName ?? subject) == subject && users.Admit(subject, attempt.ClientId) is { } principal
            ? ConnectVerdict.Accept(principal)
            : ConnectVerdict.Refuse(ReasonCode.NotAuthorized, "The certificate's subject is no user who may connect.");
    }

    /// <summary>A sensor, which has neither a name nor a password: what is configured for all of them. Null: it may not connect.</summary>
    /// <param name="user">Null: nobody, where anybody may connect.</param>
    public Principal? AdmitSensor(string? user, string clientId) => user is not null ? users.Admit(user, clientId) : allowAnonymous ? Anonymous(clientId) : null;

    /// <summary>Names that mean something here already.</summary>
    public static bool IsReserved(string userName) => userName == AdminCredential.UserName || userName == CommandLine.Name;

    /// <summary>Null when the operator has made rules for those without a name, and they are switched off.</summary>
    private Principal? Anonymous(string clientId) =>
        users.Directory.FindUser(Nobody) is null ? Principal.Anonymous : users.Admit(Nobody, clientId);

    private static async ValueTask<ConnectVerdict> CheckAdminAsync(
        AdminCredential credential, string user, ReadOnlyMemory<byte> password, CancellationToken cancel) =>
        await credential.AcceptsAsync(user, password, cancel)
            ? ConnectVerdict.Accept(Administrator)
            : ConnectVerdict.Refuse(ReasonCode.BadUserNameOrPassword);
}

/// <summary>What the workload layer knows of its copies' passwords.</summary>
internal interface IWorkloadCredentials
{
    /// <summary>The site has, or had, a workload of that name.</summary>
    bool IsKnown(WorkloadId workload);

    bool IsCopy(WorkloadId workload, ReadOnlySpan<byte> password);
}
