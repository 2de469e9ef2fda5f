using EdgeFirmware.Mqtt.Access;

namespace EdgeFirmware.Firmware.Users;

/// <param name="Password">It has one.</param>
/// <param name="Usage">Known for one with quotas.</param>
internal sealed record UserView(
    string Name, string? Tenant, bool Enabled, bool Password, IReadOnlyList<string> Rules, Quotas? Quotas, WorkloadQuotas? Workloads,
    QuotaUsageView? Usage);

internal sealed record TenantView(string Name, int Users, IReadOnlyList<string> Rules, Quotas? Quotas, WorkloadQuotas? Workloads, QuotaUsageView? Usage);

/// <param name="Password">The one that was made just now; it is kept nowhere.</param>
internal sealed record UserChangedView(UserView User, string? Password, string Effect);

/// <param name="Met">How often each quota was met since the node started, by kind.</param>
internal sealed record QuotaUsageView(
    int Connections, int Subscriptions, int QueuedMessages, long QueuedBytes, int RetainedMessages, long RetainedBytes, Dictionary<string, long> Met);

/// <summary>What became of logins since the node started.</summary>
internal sealed record LoginsView(long Failures, long Slowed, long Refusals, RefusedAddressView[] Refused);

internal sealed record RefusedAddressView(string Address, double SecondsLeft);
