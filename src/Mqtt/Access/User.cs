using EdgeFirmware.Mqtt.Authentication;

namespace EdgeFirmware.Mqtt.Access;

/// <summary>Somebody who may connect.</summary>
/// <param name="Name">What a client gives as its user name; see <see cref="UserDirectory.NameFault"/>.</param>
public sealed record User(string Name)
{
    /// <value>Null: no password will do.</value>
    public ScramCredential? Credential { get; init; }

    /// <value>Whose rules and quotas hold as well; null for none.</value>
    public string? Tenant { get; init; }

    public bool IsEnabled { get; init; } = true;

    /// <value>Besides the tenant's. Without any rule nothing is allowed.</value>
    public IReadOnlyList<TopicRule> Rules { get; init; } = [];

    public Quotas Quotas { get; init; } = Quotas.None;
}

/// <summary>What users have in common.</summary>
public sealed record Tenant(string Name)
{
    /// <value>For each of its users; <c>%u</c> is that user.</value>
    public IReadOnlyList<TopicRule> Rules { get; init; } = [];

    /// <value>For all its users together.</value>
    public Quotas Quotas { get; init; } = Quotas.None;
}
