namespace EdgeFirmware.Mqtt.Access;

/// <summary>All users and tenants at one moment. Immutable; a change is another directory.</summary>
public sealed class UserDirectory
{
    public const int UsersMax = 5000;
    public const int TenantsMax = 500;
    public const int RulesMax = 64;
    public const int NameCharsMax = 128;

    public static readonly UserDirectory Empty = new([], []);

    private readonly Dictionary<string, User> _users;
    private readonly Dictionary<string, Tenant> _tenants;

    /// <exception cref="ArgumentException">Names every fault; see <see cref="Faults"/>.</exception>
    public UserDirectory(IReadOnlyCollection<User> users, IReadOnlyCollection<Tenant> tenants)
    {
        var faults = Faults(users, tenants);
        if (faults.Count > 0) throw new ArgumentException(string.Join(Environment.NewLine, faults));
        _users = users.ToDictionary(user => user.Name, StringComparer.Ordinal);
        _tenants = tenants.ToDictionary(tenant => tenant.Name, StringComparer.Ordinal);
    }

    public IReadOnlyCollection<User> Users => _users.Values;

    public IReadOnlyCollection<Tenant> Tenants => _tenants.Values;

    public User? FindUser(string name) => _users.GetValueOrDefault(name);

    public Tenant? FindTenant(string name) => _tenants.GetValueOrDefault(name);

    public static IReadOnlyList<string> Faults(IReadOnlyCollection<User> users, IReadOnlyCollection<Tenant> tenants)
    {
        var faults = new List<string>();
        if (users.Count > UsersMax) faults.Add($"{users.Count} users; at most {UsersMax}");
        if (tenants.Count > TenantsMax) faults.Add($"{tenants.Count} tenants; at most {TenantsMax}");
        var known = tenants.Select(tenant => tenant.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var tenant in tenants) Check($"tenant '{tenant.Name}'", tenant.Name, tenant.Rules.Count, tenant.Quotas);
        foreach (var user in users)
        {
            Check($"user '{user.Name}'", user.Name, user.Rules.Count, user.Quotas);
            if (user.Tenant is { } tenant && !known.Contains(tenant)) faults.Add($"user '{user.Name}': there is no tenant '{tenant}'");
        }

        foreach (var name in Twice(users.Select(user => user.Name))) faults.Add($"user '{name}' is there twice");
        foreach (var name in Twice(tenants.Select(tenant => tenant.Name))) faults.Add($"tenant '{name}' is there twice");
        return faults;

        void Check(string whose, string name, int rules, Quotas quotas)
        {
            if (NameFault(name) is { Length: > 0 } fault) faults.Add($"{whose}: {fault}");
            if (rules > RulesMax) faults.Add($"{whose}: {rules} rules; at most {RulesMax}");
            foreach (var quota in quotas.Faults()) faults.Add($"{whose}: {quota}");
        }
    }

    /// <summary>Why nobody can be called so; empty when they can. A name is always usable as a part of a topic's level.</summary>
    public static string NameFault(string name)
    {
        if (name.Length is 0 or > NameCharsMax) return $"a name has 1 to {NameCharsMax} characters";
        if (!TopicPattern.IsUsable(name)) return "a name has no '+', '#' or '/' in it and does not begin with '$'";
        foreach (var one in name)
        {
            if (char.IsControl(one) || char.IsSurrogate(one)) return "a name has no control characters and no symbols beyond U+FFFF";
        }

        return name.AsSpan().Trim().Length == name.Length ? string.Empty : "a name does not begin or end with a space";
    }

    private static IEnumerable<string> Twice(IEnumerable<string> names) =>
        names.GroupBy(name => name, StringComparer.Ordinal).Where(group => group.Count() > 1).Select(group => group.Key);
}
