using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Firmware.Operations;
using EdgeFirmware.Mqtt.Access;
using EdgeFirmware.Mqtt.Broker;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Firmware.Users;

/// <summary>
/// Keeps <c>users.json</c> and the broker's access rules the same, whoever changes which. Changes are made one at a time, and are on disk before they hold.
/// A file that is wrong changes nothing.
/// </summary>
internal sealed partial class UserDesk(UserFile file, UserAccess access, LoginGuard guard, ILogger log) : IDisposable
{
    /// <summary>A look at a file's time costs a system call.</summary>
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly SemaphoreSlim _asked = new(0, 1);
    private WorkloadAllowance? _allowance;
    private volatile StoredUsers _stored = new();
    private (DateTime Written, long Bytes)? _stamp;

    /// <summary>Set once there is a broker whose clients are concerned.</summary>
    public MqttBroker? Broker { get; set; }

    /// <summary>Told of what an operator cares about.</summary>
    public Action<NodeEvent> Happened { get; set; } = static _ => { };

    /// <summary>What users may deploy.</summary>
    public WorkloadAllowance Allowance => _allowance ??= new WorkloadAllowance(() => _stored);

    public LoginsView Logins
    {
        get
        {
            var now = guard.Statistics;
            var refused = new List<RefusedAddressView>();
            foreach (var (address, left) in now.Refused)
                refused.Add(new RefusedAddressView(address.ToString(), Math.Ceiling(left.TotalSeconds)));
            return new LoginsView(now.Failures, now.Slowed, now.Refusals, [.. refused]);
        }
    }

    /// <exception cref="StorageException">Each line names a fault of the file.</exception>
    public async Task LoadAsync(CancellationToken cancel)
    {
        var stamp = file.Stamp;
        Use(await file.ReadAsync(cancel), stamp);
        WarnOfMode();
    }

    /// <summary>Looks at the file now and then, and when asked to.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        while (true)
        {
            var isAsked = await _asked.WaitAsync(LookInterval, cancel);
            if (isAsked || file.Stamp != _stamp)
                await ReloadAsync(cancel);
        }
    }

    /// <summary>Reads the file soon. Thread safe.</summary>
    public void AskReload()
    {
        lock (_asked)
            if (_asked.CurrentCount == 0)
                _asked.Release();
    }

    public UserView[] Users() => _stored.Users.OrderBy(user => user.Name, StringComparer.Ordinal).Select(ViewOf).ToArray();

    public TenantView[] Tenants() => _stored.Tenants.OrderBy(tenant => tenant.Name, StringComparer.Ordinal).Select(ViewOf).ToArray();

    public UserView User(string name) => ViewOf(FindUser(_stored, name));

    public TenantView Tenant(string name) => ViewOf(FindTenant(_stored, name));

    public async Task<UserChangedView> AddUserAsync(string name, UserChange change)
    {
        var (user, password) = await Task.Run(() => UserEdit.Make(name, change));
        var effect = await ChangeAsync(
            all => all.Users.Any(one => one.Name == name) ? throw new OperationRefusedException(409, $"there is a user '{name}' already") : UserEdit.Set(all, user),
            name, "added");
        return new UserChangedView(User(name), password, effect);
    }

    public async Task<UserChangedView> ChangeUserAsync(string name, UserChange change)
    {
        string? password = null;
        var effect = await ChangeAsync(
            all =>
            {
                (var user, password) = UserEdit.Apply(FindUser(all, name), change);
                return UserEdit.Set(all, user);
            },
            name, "changed");
        return new UserChangedView(User(name), password, effect);
    }

    public async Task<UserView> RemoveUserAsync(string name)
    {
        var before = User(name);
        await ChangeAsync(all => all with { Users = [.. all.Users.Where(one => one.Name != FindUser(all, name).Name)] }, name, "removed");
        return before;
    }

    public async Task<TenantView> AddTenantAsync(string name, UserChange change)
    {
        await ChangeAsync(
            all => all.Tenants.Any(one => one.Name == name)
                ? throw new OperationRefusedException(409, $"there is a tenant '{name}' already")
                : UserEdit.Set(all, UserEdit.Apply(new StoredTenant(name), change)),
            name, "added");
        return Tenant(name);
    }

    public async Task<TenantView> ChangeTenantAsync(string name, UserChange change)
    {
        await ChangeAsync(all => UserEdit.Set(all, UserEdit.Apply(FindTenant(all, name), change)), name, "changed");
        return Tenant(name);
    }

    public async Task<TenantView> RemoveTenantAsync(string name)
    {
        var before = Tenant(name);
        await ChangeAsync(
            all => all.Users.FirstOrDefault(user => user.Tenant == name) is { } user
                ? throw new OperationRefusedException(409, $"'{user.Name}' and maybe others are users of tenant '{name}'")
                : all with { Tenants = [.. all.Tenants.Where(one => one.Name != FindTenant(all, name).Name)] },
            name, "removed");
        return before;
    }

    /// <summary>Hears an address again that is refused.</summary>
    public void Pardon(string address)
    {
        if (!System.Net.IPAddress.TryParse(address, out var parsed))
            throw new OperationRefusedException(400, $"'{address}' is no IP address");
        if (!guard.Pardon(parsed))
            throw new OperationRefusedException(404, $"{address} is not refused");
    }

    public void Dispose()
    {
        _gate.Dispose();
        _asked.Dispose();
    }

    /// <returns>What it did to clients, in words.</returns>
    private async Task<string> ChangeAsync(Func<StoredUsers, StoredUsers> change, string name, string what)
    {
        await _gate.WaitAsync();
        try
        {
            // What somebody wrote by hand meanwhile is not written over.
            var before = file.Stamp == _stamp ? _stored : await file.ReadAsync(CancellationToken.None);
            var after = change(before);
            var faults = new List<string>();
            if (UserFile.Build(after, faults) is null)
                throw new OperationRefusedException(400, string.Join(Environment.NewLine, faults));
            await file.WriteAsync(after, CancellationToken.None);
            return Apply(after, name, what);
        }
        catch (StorageException error)
        {
            throw new OperationRefusedException(409, error.Message);
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task ReloadAsync(CancellationToken cancel)
    {
        await _gate.WaitAsync(cancel);
        var stamp = file.Stamp;
        try
        {
            var read = await file.ReadAsync(cancel);
            WarnOfMode();
            Use(read, stamp);
            Review("users.json", "read");
        }
        catch (StorageException error)
        {
            // Said once for each version of the file.
            _stamp = stamp;
            foreach (var fault in error.Message.Split(Environment.NewLine))
                Refused(log, fault);
            Happened(new NodeEvent("users-refused", "users.json", error.Message));
        }
        finally
        {
            _gate.Release();
        }
    }

    private string Apply(StoredUsers users, string name, string what)
    {
        Use(users, file.Stamp);
        return Review(name, what);
    }

    private void Use(StoredUsers users, (DateTime Written, long Bytes)? stamp)
    {
        access.Replace(UserFile.Build(users, [])!);
        _stored = users;
        _stamp = stamp;
    }

    private string Review(string subject, string what)
    {
        var done = Broker?.Review() ?? new ReviewSummary();
        var effect = $"{what}; {done.Disconnected} clients disconnected, {done.SubscriptionsRemoved} subscriptions, {done.WillsRemoved} wills and "
            + $"{done.SessionsEnded} sessions of absent clients removed";
        Changed(log, subject, effect);
        Happened(new NodeEvent("users-changed", subject, effect));
        return effect;
    }

    private void WarnOfMode()
    {
        if (file.IsOpenToOthers)
            OpenToOthers(log, file.Path);
    }

    private UserView ViewOf(StoredUser user) => new(
        user.Name, user.Tenant, user.Enabled, user.Password is not null, user.Rules, user.Quotas, user.Workloads,
        UsageOf(access.Directory.FindUser(user.Name) is { } found ? access.AccountOf(found) : null));

    private TenantView ViewOf(StoredTenant tenant) => new(
        tenant.Name, _stored.Users.Count(user => user.Tenant == tenant.Name), tenant.Rules, tenant.Quotas, tenant.Workloads,
        UsageOf(access.Directory.FindTenant(tenant.Name) is { } found ? access.AccountOf(found) : null));

    private static QuotaUsageView? UsageOf(QuotaAccount? account)
    {
        if (account is null)
            return null;
        var used = account.Usage;
        var met = Enum.GetValues<QuotaKind>().ToDictionary(kind => kind.ToString(), account.Met);
        return new QuotaUsageView(
            used.Connections, used.Subscriptions, used.QueuedMessages, used.QueuedBytes, used.RetainedMessages, used.RetainedBytes, met);
    }

    private static StoredUser FindUser(StoredUsers all, string name) =>
        all.Users.FirstOrDefault(user => user.Name == name) ?? throw new OperationRefusedException(404, $"there is no user '{name}'");

    private static StoredTenant FindTenant(StoredUsers all, string name) =>
        all.Tenants.FirstOrDefault(tenant => tenant.Name == name) ?? throw new OperationRefusedException(404, $"there is no tenant '{name}'");

    [LoggerMessage(30, LogLevel.Information, "{Subject} {Effect}")]
    private static partial void Changed(ILogger log, string subject, string effect);

    [LoggerMessage(31, LogLevel.Error, "the users stay as they are: {Fault}")]
    private static partial void Refused(ILogger log, string fault);

    [LoggerMessage(32, LogLevel.Warning, "{Path} can be read by others than its owner; use 'chmod 600'")]
    private static partial void OpenToOthers(ILogger log, string path);
}
