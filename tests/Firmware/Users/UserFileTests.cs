using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Firmware.Users;

namespace EdgeFirmware.Firmware.Tests.Users;

public sealed class UserFileTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("edge-users-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task What_is_written_is_read_and_nobody_else_may()
    {
        var file = new UserFile(_directory);
        Assert.Empty((await file.ReadAsync(CancellationToken.None)).Users);
        var user = UserEdit.Make("alice", new UserChange { Password = "secret", Tenant = "acme", Quotas = new() { ["messagesPerSecond"] = 2.5 } }).User;
        var tenant = UserEdit.Apply(new StoredTenant("acme"), new UserChange { AddRules = ["allow all acme/%u/#"] });
        await file.WriteAsync(UserEdit.Set(UserEdit.Set(new StoredUsers(), user), tenant), CancellationToken.None);
        var read = await file.ReadAsync(CancellationToken.None);
        Assert.Equal(("alice", "acme", 2.5), (read.Users[0].Name, read.Users[0].Tenant, read.Users[0].Quotas!.MessagesPerSecond));
        Assert.Equal(["allow all acme/%u/#"], read.Tenants[0].Rules);
        Assert.False(file.IsOpenToOthers);
        Assert.DoesNotContain("secret", await File.ReadAllTextAsync(file.Path), StringComparison.Ordinal);
        File.SetUnixFileMode(file.Path, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        Assert.True(file.IsOpenToOthers);
    }

    [Fact]
    public async Task Everything_that_is_wrong_is_named_at_once()
    {
        await File.WriteAllTextAsync(Path.Combine(_directory, "users.json"), """
            { "tenants": [ { "name": "a/b" } ],
              "users": [ { "name": "admin" }, { "name": "x", "tenant": "none", "rules": ["allow", "allow read a%"] },
                { "name": "y", "password": { "salt": "AAAA", "iterations": 1, "storedKey": "", "serverKey": "" }, "quotas": { "connectionsMax": 0 } },
                { "name": "y" } ] }
            """);
        var error = await Assert.ThrowsAsync<StorageException>(() => new UserFile(_directory).ReadAsync(CancellationToken.None));
        foreach (var named in new[]
                 {
                     "tenant 'a/b'", "user 'admin'", "there is no tenant 'none'", "user 'x': 'allow'", "'a%'", "user 'y': password", "ConnectionsMax", "'y' is there twice",
                 })
            Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{ \"users\": [ { \"name\": \"x\", \"surprise\": 1 } ] }")]
    [InlineData("{ \"users\": [ { } ] }")]
    [InlineData("{ \"users\": [ null ] }")]
    [InlineData("{ \"users\": null }")]
    [InlineData("{ \"users\": [ { \"name\": \"x\", \"rules\": [null] } ] }")]
    [InlineData("{ \"users\": [ { \"name\": \"x\", \"rules\": null } ] }")]
    public async Task What_is_no_such_file_is_refused_with_its_name(string content)
    {
        await File.WriteAllTextAsync(Path.Combine(_directory, "users.json"), content);
        var error = await Assert.ThrowsAsync<StorageException>(() => new UserFile(_directory).ReadAsync(CancellationToken.None));
        Assert.Contains("users.json", error.Message, StringComparison.Ordinal);
    }
}
