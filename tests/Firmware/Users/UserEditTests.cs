using EdgeFirmware.Firmware.Operations;
using EdgeFirmware.Firmware.Users;

namespace EdgeFirmware.Firmware.Tests.Users;

public sealed class UserEditTests
{
    [Fact]
    public void A_user_without_tenant_and_rules_gets_the_rule_that_allows_everything()
    {
        Assert.Equal(["allow all #"], UserEdit.Make("a", new UserChange { Password = "x" }).User.Rules);
        Assert.Empty(UserEdit.Make("a", new UserChange { Tenant = "t" }).User.Rules);
        Assert.Equal(["allow read x"], UserEdit.Make("a", new UserChange { AddRules = ["allow read x"] }).User.Rules);
    }

    [Fact]
    public void A_chosen_password_is_hashed_slowly_and_one_that_was_made_is_long()
    {
        Assert.Equal(100_000, UserEdit.Make("a", new UserChange { Password = "x" }).User.Password!.Iterations);
        var (user, password) = UserEdit.Make("a", new UserChange { Generate = true });
        Assert.Equal((32, 4096), (password!.Length, user.Password!.Iterations));
    }

    [Fact]
    public void What_is_not_named_stays()
    {
        var user = UserEdit.Make("a", new UserChange { Password = "x", Tenant = "t", AddRules = ["allow  read   x"], Quotas = new() { ["connectionsMax"] = 3 } }).User;
        var changed = UserEdit.Apply(user, new UserChange { Enabled = false }).User;
        Assert.Equal(user with { Enabled = false, Rules = changed.Rules }, changed);
        Assert.Equal(["allow read x"], changed.Rules);
        Assert.Equal(3, changed.Quotas!.ConnectionsMax);
        Assert.Null(UserEdit.Apply(user, new UserChange { Quotas = new() { ["connectionsMax"] = null } }).User.Quotas);
        Assert.Null(UserEdit.Apply(user, new UserChange { Tenant = "" }).User.Tenant);
        Assert.Empty(UserEdit.Apply(user, new UserChange { RemoveRules = ["allow read x"] }).User.Rules);
    }

    [Fact]
    public void What_cannot_be_is_refused()
    {
        var user = new StoredUser("a");
        UserChange[] wrong =
        [
            new() { Password = "" }, new() { Password = "x", Generate = true }, new() { AddRules = ["allow everything"] }, new() { RemoveRules = ["allow read x"] },
            new() { Quotas = new() { ["connections"] = 1 } }, new() { Quotas = new() { ["connectionsMax"] = -1 } }, new() { Quotas = new() { ["inFlightMax"] = 1e12 } },
            new() { Password = new string('x', 2000) },
        ];
        Assert.All(wrong, change => Assert.Throws<OperationRefusedException>(() => UserEdit.Apply(user, change)));
        Assert.Throws<OperationRefusedException>(() => UserEdit.Apply(new StoredTenant("t"), new UserChange { Enabled = true }));
    }
}
