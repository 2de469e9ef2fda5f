using EdgeFirmware.Mqtt.Access;

namespace EdgeFirmware.Firmware.Users;

/// <summary>What is in <c>users.json</c>. Settable, as generated readers put null into what is init-only and not in the file.</summary>
internal sealed record StoredUsers
{
    public IReadOnlyList<StoredTenant> Tenants { get; set; } = [];

    public IReadOnlyList<StoredUser> Users { get; set; } = [];
}

internal sealed record StoredTenant(string Name)
{
    /// <value>As <see cref="TopicRule.Parse"/> reads them.</value>
    public IReadOnlyList<string> Rules { get; set; } = [];

    public Quotas? Quotas { get; set; }

    public WorkloadQuotas? Workloads { get; set; }
}

internal sealed record StoredUser(string Name)
{
    public string? Tenant { get; set; }

    public bool Enabled { get; set; } = true;

    /// <value>Null: no password will do.</value>
    public StoredPassword? Password { get; set; }

    public IReadOnlyList<string> Rules { get; set; } = [];

    public Quotas? Quotas { get; set; }

    public WorkloadQuotas? Workloads { get; set; }
}

/// <summary>What is kept of a password: SCRAM-SHA-256 (RFC 5802, RFC 7677), whose salted password is PBKDF2-HMAC-SHA-256.</summary>
internal sealed record StoredPassword(byte[] Salt, int Iterations, byte[] StoredKey, byte[] ServerKey);
