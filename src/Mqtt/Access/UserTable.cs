using EdgeFirmware.Mqtt.Broker;

namespace EdgeFirmware.Mqtt.Access;

/// <summary>A directory made ready to be asked for every CONNECT. Accounts outlive the table: what is in use stays charged.</summary>
internal sealed class UserTable
{
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    /// <param name="before">The table that this one replaces; null for the first.</param>
    public UserTable(UserDirectory directory, UserTable? before)
    {
        Directory = directory;
        foreach (var tenant in directory.Tenants) AddAccount(TenantAccounts, before?.TenantAccounts, tenant.Name, tenant.Quotas);
        foreach (var user in directory.Users)
        {
            AddAccount(UserAccounts, before?.UserAccounts, user.Name, user.Quotas);
            _entries.Add(user.Name, new Entry(this, user, user.Tenant is { } tenant ? directory.FindTenant(tenant) : null));
        }
    }

    public UserDirectory Directory { get; }

    /// <summary>Only of users with quotas: the others shall cost nothing.</summary>
    public Dictionary<string, QuotaAccount> UserAccounts { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, QuotaAccount> TenantAccounts { get; } = new(StringComparer.Ordinal);

    /// <summary>The client as it is under this table; null when there is no such user, it may not connect, or it proved another credential.</summary>
    /// <param name="storedKey">Of the credential; null when it proved none.</param>
    public Principal? Admit(string name, string clientId, ReadOnlyMemory<byte>? storedKey)
    {
        if (!_entries.TryGetValue(name, out var entry) || !entry.User.IsEnabled) return null;
        // A changed password is changed because somebody else may know the old one.
        if (storedKey is { } proved && entry.User.Credential?.StoredKey.Span.SequenceEqual(proved.Span) != true) return null;
        return new Principal(name, new UserGrant(this, clientId, entry.RulesFor(clientId), storedKey), entry.Accounts);
    }

    private static void AddAccount(
        Dictionary<string, QuotaAccount> accounts, Dictionary<string, QuotaAccount>? before, string name, Quotas quotas)
    {
        if (quotas.IsNone) return;
        var account = before?.GetValueOrDefault(name) ?? new QuotaAccount(name, quotas);
        account.Quotas = quotas;
        accounts.Add(name, account);
    }

    private sealed class Entry
    {
        private readonly IReadOnlyCollection<TopicRule> _rules;

        /// <summary>Set when the rules are the same whatever the client id.</summary>
        private readonly TopicRules? _shared;

        public Entry(UserTable table, User user, Tenant? tenant)
        {
            User = user;
            _rules = [.. tenant?.Rules ?? [], .. user.Rules];
            if (!_rules.Any(rule => rule.Pattern.Contains("%c", StringComparison.Ordinal))) _shared = new TopicRules(_rules, user.Name, string.Empty);
            var own = table.UserAccounts.GetValueOrDefault(user.Name);
            var common = tenant is null ? null : table.TenantAccounts.GetValueOrDefault(tenant.Name);
            Accounts = (own, common) switch
            {
                (null, null) => [],
                ({ }, null) => [own],
                (null, { }) => [common],
                _ => [own, common],
            };
        }

        public User User { get; }

        public QuotaAccount[] Accounts { get; }

        public TopicRules RulesFor(string clientId) => _shared ?? new TopicRules(_rules, User.Name, clientId);
    }
}
