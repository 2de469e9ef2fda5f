namespace EdgeFirmware.Firmware.Users;

/// <summary>What to change of a user or a tenant; what is null stays. Tenants have rules and quotas only.</summary>
internal sealed record UserChange
{
    public string? Password { get; init; }

    /// <value>Make a random password, which the answer shows.</value>
    public bool Generate { get; init; }

    /// <value>Empty: none.</value>
    public string? Tenant { get; init; }

    public bool? Enabled { get; init; }

    /// <value>Instead of those there are.</value>
    public string[]? Rules { get; init; }

    public string[]? AddRules { get; init; }

    public string[]? RemoveRules { get; init; }

    /// <value>By the names in <c>users.json</c>; null takes the bound away.</value>
    public Dictionary<string, double?>? Quotas { get; init; }
}
