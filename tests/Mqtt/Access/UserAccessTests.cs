using EdgeFirmware.Mqtt.Access;
using EdgeFirmware.Mqtt.Authentication;
using EdgeFirmware.Mqtt.Broker;

namespace EdgeFirmware.Mqtt.Tests.Access;

public sealed class UserAccessTests
{
    [Theory]
    [InlineData("alice", "right", ReasonCode.Success)]
    [InlineData("alice", "wrong", ReasonCode.BadUserNameOrPassword)]
    [InlineData("alice", "", ReasonCode.BadUserNameOrPassword)]
    [InlineData("alice", null, ReasonCode.BadUserNameOrPassword)]
    [InlineData("nobody", "right", ReasonCode.BadUserNameOrPassword)]
    [InlineData("gone", "right", ReasonCode.NotAuthorized)]
    [InlineData("gone", "wrong", ReasonCode.BadUserNameOrPassword)]
    [InlineData("keyless", "right", ReasonCode.BadUserNameOrPassword)]
    [InlineData(null, null, ReasonCode.NotAuthorized)]
    public async Task Who_may_connect(string? user, string? password, ReasonCode expected)
    {
        using var access = new UserAccess(Users.Directory(Users.Alice, Users.Make("gone") with { IsEnabled = false }, new User("keyless")));
        for (var i = 0; i < 2; i++) // the second time from memory
        {
            var verdict = await access.AuthenticateAsync(Users.Attempt(user, password), CancellationToken.None);
            Assert.Equal(expected, verdict.Reason);
            Assert.Equal(expected == ReasonCode.Success ? user : null, verdict.Principal?.Name);
        }
    }

    [Fact]
    public async Task A_password_that_was_right_is_not_remembered_beyond_its_change()
    {
        using var access = new UserAccess(Users.Directory(Users.Alice));
        Assert.NotNull((await access.AuthenticateAsync(Users.Attempt("alice", "right"), CancellationToken.None)).Principal);
        access.Replace(Users.Directory(Users.Make("alice", "other")));
        Assert.Null((await access.AuthenticateAsync(Users.Attempt("alice", "right"), CancellationToken.None)).Principal);
        Assert.NotNull((await access.AuthenticateAsync(Users.Attempt("alice", "other"), CancellationToken.None)).Principal);
    }

    [Fact]
    public async Task A_storm_of_logins_is_told_to_come_back()
    {
        using var access = new UserAccess(Users.Directory(Users.Alice));
        var attempts = Enumerable.Range(0, 500).Select(i => access.AuthenticateAsync(Users.Attempt($"user-{i}", "x"), CancellationToken.None).AsTask()).ToArray();
        var verdicts = await Within.Reason(Task.WhenAll(attempts));
        Assert.Contains(verdicts, verdict => verdict.Reason == ReasonCode.ServerBusy);
        Assert.Contains(verdicts, verdict => verdict.Reason == ReasonCode.BadUserNameOrPassword);
        Assert.NotNull((await access.AuthenticateAsync(Users.Attempt("alice", "right"), CancellationToken.None)).Principal);
    }

    [Fact]
    public async Task SCRAM_proves_the_same_password_and_does_not_tell_who_exists()
    {
        using var access = new UserAccess(Users.Directory(Users.Alice));
        Assert.Equal("alice", (await ExchangeAsync(access, "alice", "right")).Principal?.Name);
        Assert.Equal(ReasonCode.NotAuthorized, (await ExchangeAsync(access, "alice", "wrong")).Reason);
        Assert.Equal(ReasonCode.NotAuthorized, (await ExchangeAsync(access, "nobody", "right")).Reason);
        Assert.Null(access.BeginAuthentication("PLAIN", Users.Attempt("alice", "right")));
    }

    [Fact]
    public async Task Rules_of_tenant_and_user_hold_together_and_a_denial_wins()
    {
        var tenant = new Tenant("acme") { Rules = Users.Rules("allow all acme/%u/#", "deny write acme/%u/config") };
        var user = Users.Make("alice") with { Tenant = "acme", Rules = Users.Rules("allow read acme/news", "allow write acme/%u/config") };
        using var access = new UserAccess(new UserDirectory([user], [tenant]));
        var alice = (await access.AuthenticateAsync(Users.Attempt("alice", "right"), CancellationToken.None)).Principal!;
        Assert.True(access.MayPublish(alice, "acme/alice/t"));
        Assert.False(access.MayPublish(alice, "acme/bob/t"));
        Assert.False(access.MayPublish(alice, "acme/alice/config"));
        Assert.True(access.MaySubscribe(alice, "acme/news"));
        Assert.True(access.MaySubscribe(alice, "$share/g/acme/alice/#"));
        Assert.False(access.MaySubscribe(alice, "acme/+/t"));
        Assert.False(access.MayPublish(Principal.Anonymous, "acme/alice/t"));
    }

    [Fact]
    public void A_review_finds_what_changed_for_whom()
    {
        using var access = new UserAccess(Users.Directory(Users.Alice));
        var alice = access.Admit("alice", "c", Users.Alice.Credential!.StoredKey)!;
        Assert.Same(alice, access.Review(alice, "c").Principal);

        access.Replace(Users.Directory(Users.Alice with { Rules = Users.Rules("allow read a") }));
        var narrowed = access.Review(alice, "c").Principal!;
        Assert.Equal((false, true), (access.MayPublish(narrowed, "a"), access.MaySubscribe(narrowed, "a")));

        access.Replace(Users.Directory(Users.Alice with { IsEnabled = false }));
        Assert.Equal(PrincipalReview.Disconnect, access.Review(alice, "c"));
        access.Replace(Users.Directory(Users.Make("alice", "another")));
        Assert.Equal(PrincipalReview.Disconnect, access.Review(alice, "c"));
        Assert.NotNull(access.Review(access.Admit("alice", "c")!, "c").Principal); // proved no password
        access.Replace(UserDirectory.Empty);
        Assert.Equal(PrincipalReview.End, access.Review(alice, "c"));
    }

    [Fact]
    public void A_directory_names_all_its_faults()
    {
        User[] users =
        [
            new("a+b"), new("twice"), new("twice"), new("x") { Tenant = "none" }, new("q") { Quotas = new Quotas { ConnectionsMax = 0 } }, new(" y"), new(""),
        ];
        var faults = UserDirectory.Faults(users, [new Tenant("t/t")]);
        Assert.Equal(7, faults.Count);
        Assert.Throws<ArgumentException>(() => new UserDirectory(users, []));
    }

    private static async Task<ConnectVerdict> ExchangeAsync(UserAccess access, string user, string password)
    {
        var client = new ScramClient(user, password);
        var server = access.BeginAuthentication(client.Method, Users.Attempt(null, null))!;
        var challenge = await server.ContinueAsync(client.Start(), CancellationToken.None);
        Assert.Null(challenge.Verdict);
        return (await server.ContinueAsync(client.Respond(challenge.Data), CancellationToken.None)).Verdict!.Value;
    }
}
