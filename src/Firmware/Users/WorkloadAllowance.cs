using EdgeFirmware.Contracts;

namespace EdgeFirmware.Firmware.Users;

/// <summary>Whether a user may have one more workload: his own quota and his tenant's, over what the site holds. A user without a tenant, and one
/// that this node does not know, has the tenant <c>default</c>, if there is one.</summary>
internal sealed class WorkloadAllowance(Func<StoredUsers> users)
{
    public const string DefaultTenant = "default";

    private readonly Lock _gate = new();

    /// <summary>Being deployed by this node: not all of them are records yet.</summary>
    private readonly HashSet<WorkloadSpec> _pending = [];

    /// <param name="held">What the site holds.</param>
    /// <returns>Why not; empty when it may, and then <see cref="End"/> must follow.</returns>
    public string Begin(WorkloadSpec spec, IReadOnlyList<WorkloadSpec> held)
    {
        var stored = users();
        var tenant = TenantOf(stored, spec.User);
        lock (_gate)
        {
            var all = new Dictionary<WorkloadId, WorkloadSpec>();
            foreach (var one in held)
                all[one.Id] = one;
            foreach (var one in _pending)
                all[one.Id] = one;
            all.Remove(spec.Id); // that it is there already is said by whoever deploys it
            var why = stored.Users.FirstOrDefault(user => user.Name == spec.User)?.Workloads?.WhyNot(
                spec, all.Values.Where(one => one.User == spec.User), $"user '{spec.User}'") ?? "";
            if (why.Length == 0)
                why = stored.Tenants.FirstOrDefault(one => one.Name == tenant)?.Workloads?.WhyNot(
                    spec, all.Values.Where(one => TenantOf(stored, one.User) == tenant), $"tenant '{tenant}'") ?? "";
            if (why.Length == 0)
                _pending.Add(spec);
            return why;
        }
    }

    public void End(WorkloadSpec spec)
    {
        lock (_gate)
            _pending.Remove(spec);
    }

    private static string TenantOf(StoredUsers stored, string user) => stored.Users.FirstOrDefault(one => one.Name == user)?.Tenant ?? DefaultTenant;
}
