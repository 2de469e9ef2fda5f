using System.Text;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Firmware.Broker;
using EdgeFirmware.Mqtt;
using EdgeFirmware.Mqtt.Access;
using EdgeFirmware.Mqtt.Broker;

namespace EdgeFirmware.Firmware.Tests.Broker;

public sealed class AccessTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("edge-access-").FullName;

    private readonly UserAccess _users = new(UserDirectory.Empty);

    public void Dispose()
    {
        _users.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task The_administrator_is_made_once_and_the_password_is_in_no_file()
    {
        var (first, password) = await AdminCredential.LoadOrCreateAsync(_directory, CancellationToken.None);
        var (second, again) = await AdminCredential.LoadOrCreateAsync(_directory, CancellationToken.None);
        Assert.Null(again);
        Assert.DoesNotContain(password!, await File.ReadAllTextAsync(Path.Combine(_directory, "admin.json")), StringComparison.OrdinalIgnoreCase);
        foreach (var credential in new[] { first, second })
        {
            Assert.True(await AcceptsAsync(credential, "admin", password!));
            Assert.True(await AcceptsAsync(credential, "admin", password!)); // from memory
            Assert.False(await AcceptsAsync(credential, "admin", password + "x"));
            Assert.False(await AcceptsAsync(credential, "admin", ""));
            Assert.False(await AcceptsAsync(credential, "root", password!));
            Assert.False(await AcceptsAsync(credential, null, password!));
            credential.Dispose();
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("{\"user\":\"admin\",\"salt\":\"AAAA\",\"hash\":\"AAAA\",\"iterations\":1}")]
    [InlineData("{\"user\":\"admin\",\"salt\":\"AAAA\",\"hash\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\",\"iterations\":0}")]
    public async Task A_damaged_credential_stops_the_start_with_the_file_s_name(string content)
    {
        await File.WriteAllTextAsync(Path.Combine(_directory, "admin.json"), content);
        var error = await Assert.ThrowsAsync<StorageException>(() => AdminCredential.LoadOrCreateAsync(_directory, CancellationToken.None));
        Assert.Contains("admin.json", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    // anonymous allowed, trusted, client ID, user, password → reason
    [InlineData(false, true, "x", null, null, ReasonCode.Success)]
    [InlineData(false, false, "x", null, null, ReasonCode.NotAuthorized)]
    [InlineData(true, false, "x", null, null, ReasonCode.Success)]
    [InlineData(true, false, "x", "anybody", "anything", ReasonCode.Success)]
    [InlineData(false, false, "x", "anybody", "anything", ReasonCode.BadUserNameOrPassword)]
    [InlineData(false, false, "x", "admin", "right", ReasonCode.Success)]
    [InlineData(true, false, "x", "admin", "wrong", ReasonCode.BadUserNameOrPassword)]
    [InlineData(false, false, "demo-conv", "demo-conv", "secret", ReasonCode.Success)]
    [InlineData(true, false, "demo-conv", "demo-conv", "old", ReasonCode.NotAuthorized)] // a copy that is fenced
    [InlineData(true, false, "demo-conv", null, null, ReasonCode.ClientIdentifierNotValid)]
    [InlineData(true, false, "demo-conv", "admin", "right", ReasonCode.ClientIdentifierNotValid)]
    [InlineData(true, false, "demo-other", null, null, ReasonCode.Success)]
    [InlineData(true, false, "x", "demo-conv", "old", ReasonCode.NotAuthorized)]
    public async Task Who_may_connect(bool anonymous, bool trusted, string clientId, string? user, string? password, ReasonCode expected)
    {
        var (admin, made) = await AdminCredential.LoadOrCreateAsync(_directory, CancellationToken.None);
        var access = new NodeAccess(anonymous, () => admin, _users);
        access.WorkloadsAre(new OneWorkload());
        var given = password == "right" ? made : password;
        var verdict = await access.AuthenticateAsync(
            new ConnectAttempt(clientId, user, given is null ? null : Encoding.UTF8.GetBytes(given), "10.0.0.9:1", trusted, ProtocolVersion.V5), CancellationToken.None);
        Assert.Equal(expected, verdict.Reason);
        if (user == "demo-conv" && expected == ReasonCode.Success)
            Assert.Equal(WorkloadId.Parse("demo-conv"), verdict.Principal!.Tag);
        admin.Dispose();
    }

    [Fact]
    public async Task A_copy_that_is_back_before_the_workloads_are_known_waits_and_is_not_taken_for_a_stranger()
    {
        var access = new NodeAccess(allowAnonymous: true, () => null, _users);
        var judging = access.AuthenticateAsync(
            new ConnectAttempt("demo-conv", "demo-conv", "secret"u8.ToArray(), "10.0.0.9:1", false, ProtocolVersion.V5), CancellationToken.None).AsTask();
        Assert.False(judging.IsCompleted);
        access.WorkloadsAre(new OneWorkload());
        Assert.Equal(WorkloadId.Parse("demo-conv"), (await judging.WaitAsync(TimeSpan.FromSeconds(10))).Principal!.Tag);
    }

    [Fact]
    public async Task The_firmware_s_own_topics_are_its_command_line_s_to_publish()
    {
        var access = new NodeAccess(allowAnonymous: true, () => null, _users);
        access.WorkloadsAre(new OneWorkload());
        var trusted = (await access.AuthenticateAsync(new ConnectAttempt("x", null, null, "unix", true, ProtocolVersion.V5), CancellationToken.None)).Principal!;
        Assert.True(access.MayPublish(trusted, "edge/v1/x"));
        Assert.False(access.MayPublish(Principal.Anonymous, "edge/v1/x"));
        Assert.False(access.MayPublish(trusted, "$SYS/x"));
        Assert.True(access.MayPublish(Principal.Anonymous, "edge/v2"));
    }

    private static async Task<bool> AcceptsAsync(AdminCredential credential, string? user, string password) =>
        await credential.AcceptsAsync(user, Encoding.UTF8.GetBytes(password), CancellationToken.None);

    private sealed class OneWorkload : IWorkloadCredentials
    {
        public bool IsKnown(WorkloadId workload) => workload.Value == "demo-conv";

        public bool IsCopy(WorkloadId workload, ReadOnlySpan<byte> password) => password.SequenceEqual("secret"u8);
    }
}
