using EdgeFirmware.Mqtt.Access;

namespace EdgeFirmware.Mqtt.Broker;

/// <summary>Who a client is, as the product's access rules see it. The broker passes it back, and charges its accounts.</summary>
/// <param name="name">For logs and snapshots. A session belongs to a name.</param>
/// <param name="tag">Whatever <see cref="IBrokerAccess"/> wants to find again.</param>
/// <param name="accounts">Whose quotas bind it, such as its user's and its tenant's; usually none.</param>
public sealed class Principal(string name, object? tag = null, params QuotaAccount[] accounts)
{
    public static readonly Principal Anonymous = new("anonymous");

    public string Name => name;

    public object? Tag => tag;

    public IReadOnlyList<QuotaAccount> Accounts => accounts;

    /// <summary>The same, without an interface in between.</summary>
    internal QuotaAccount[] AccountArray => accounts;

    public override string ToString() => name;
}
