using System.Security.Cryptography;
using EdgeFirmware.Firmware.Operations;
using EdgeFirmware.Mqtt.Access;
using EdgeFirmware.Mqtt.Authentication;

namespace EdgeFirmware.Firmware.Users;

/// <summary>What a change makes of the users: no file, no clock. Refusals are <see cref="OperationRefusedException"/>.</summary>
internal static class UserEdit
{
    private const int PasswordBytesMax = 1024;
    private const int SaltBytes = 16;

    /// <summary>Half the bits nobody can guess, so slow hashing adds nothing to them: what RFC 7677 asks for at least.</summary>
    private const int GeneratedPasswordBytes = 16;

    public static StoredUsers Set(StoredUsers all, StoredUser user) =>
        all with { Users = [.. all.Users.Where(one => one.Name != user.Name), user] };

    public static StoredUsers Set(StoredUsers all, StoredTenant tenant) =>
        all with { Tenants = [.. all.Tenants.Where(one => one.Name != tenant.Name), tenant] };

    /// <summary>A new user without a tenant or rules may do everything, which is then a rule one can take away.</summary>
    public static (StoredUser User, string? Password) Make(string name, UserChange change)
    {
        var (user, password) = Apply(new StoredUser(name), change);
        if (user.Tenant is null && change.Rules is null && change.AddRules is null)
            user = user with { Rules = [TopicRule.AllowAll.ToString()] };
        return (user, password);
    }

    /// <returns>The user, and the password when one was made.</returns>
    public static (StoredUser User, string? Password) Apply(StoredUser user, UserChange change)
    {
        var made = change.Generate ? Convert.ToHexString(RandomNumberGenerator.GetBytes(GeneratedPasswordBytes)).ToLowerInvariant() : null;
        if (change is { Generate: true, Password: not null })
            throw new OperationRefusedException(400, "a password, or one that is made, not both");
        return (user with
        {
            Tenant = change.Tenant is null ? user.Tenant : change.Tenant.Length == 0 ? null : change.Tenant,
            Enabled = change.Enabled ?? user.Enabled,
            Password = (made ?? change.Password) is { } password ? Keep(password, made is null) : user.Password,
            Rules = Rules(user.Rules, change),
            Quotas = Quotas(user.Quotas, change),
            Workloads = Workloads(user.Workloads, change),
        }, made);
    }

    public static StoredTenant Apply(StoredTenant tenant, UserChange change) =>
        change is { Password: null, Generate: false, Tenant: null, Enabled: null }
            ? tenant with { Rules = Rules(tenant.Rules, change), Quotas = Quotas(tenant.Quotas, change), Workloads = Workloads(tenant.Workloads, change) }
            : throw new OperationRefusedException(400, "a tenant has rules and quotas only");

    private static StoredPassword Keep(string password, bool isChosen)
    {
        if (password.Length == 0 || System.Text.Encoding.UTF8.GetByteCount(password) > PasswordBytesMax)
            throw new OperationRefusedException(400, $"a password has 1 to {PasswordBytesMax} bytes");
        var salt = RandomNumberGenerator.GetBytes(SaltBytes);
        var kept = ScramCredential.FromPassword(password, salt, isChosen ? UserAccess.PasswordIterations : ScramCredential.IterationsMin);
        return new StoredPassword(salt, kept.Iterations, kept.StoredKey.ToArray(), kept.ServerKey.ToArray());
    }

    private static string[] Rules(IReadOnlyList<string> rules, UserChange change)
    {
        var kept = (change.Rules ?? rules).Select(Canonical).ToList();
        foreach (var removed in (change.RemoveRules ?? []).Select(Canonical))
            if (!kept.Remove(removed))
                throw new OperationRefusedException(404, $"there is no rule '{removed}'");
        return [.. kept.Union((change.AddRules ?? []).Select(Canonical))];
    }

    private static string Canonical(string text) =>
        TopicRule.Parse(text, out var fault)?.ToString() ?? throw new OperationRefusedException(400, fault);

    private static Quotas? Quotas(Quotas? quotas, UserChange change)
    {
        var changed = quotas ?? Mqtt.Access.Quotas.None;
        foreach (var (name, value) in change.Quotas ?? [])
            if (!QuotaNames.IsOfWorkloads(name))
                changed = QuotaNames.With(changed, name, value);
        return changed == Mqtt.Access.Quotas.None ? null : changed;
    }

    private static WorkloadQuotas? Workloads(WorkloadQuotas? quotas, UserChange change)
    {
        var changed = quotas ?? WorkloadQuotas.None;
        foreach (var (name, value) in change.Quotas ?? [])
            if (QuotaNames.IsOfWorkloads(name))
                changed = QuotaNames.With(changed, name, value);
        return changed == WorkloadQuotas.None ? null : changed;
    }
}
