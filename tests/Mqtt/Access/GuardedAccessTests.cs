using EdgeFirmware.Mqtt.Access;
using EdgeFirmware.Mqtt.Authentication;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeFirmware.Mqtt.Tests.Access;

public sealed class GuardedAccessTests : IDisposable
{
    private readonly ManualTime _time = new();
    private readonly UserAccess _users = new(Users.Directory(Users.Alice));
    private readonly List<TimeSpan> _events = [];
    private readonly LoginGuard _guard;
    private readonly GuardedAccess _access;

    public GuardedAccessTests()
    {
        _guard = new LoginGuard(new LoginThrottle(new LoginThrottleOptions()), _time, NullLogger.Instance, (_, left) => _events.Add(left));
        _access = new GuardedAccess(_users, _guard);
    }

    public void Dispose() => _users.Dispose();

    [Fact]
    public async Task After_ten_failures_also_the_right_password_is_refused_for_a_while()
    {
        for (var i = 0; i < 10; i++) Assert.Equal(ReasonCode.BadUserNameOrPassword, await LoginAsync("wrong"));
        Assert.Equal([TimeSpan.FromMinutes(5)], _events);
        Assert.Equal(ReasonCode.ConnectionRateExceeded, await LoginAsync("right"));
        Assert.Equal((10, 5, 1), (_guard.Statistics.Failures, _guard.Statistics.Slowed, _guard.Statistics.Refusals));
        Assert.Equal("10.0.0.9", Assert.Single(_guard.Statistics.Refused).Address.ToString());
        // Others, and the node's own tools, are not concerned.
        Assert.Equal(ReasonCode.Success, await LoginAsync("right", "10.0.0.8:1"));
        Assert.Equal(ReasonCode.Success, await LoginAsync("right", "unix"));
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(ReasonCode.Success, await LoginAsync("right"));
    }

    [Fact]
    public async Task SCRAM_guesses_count_the_same()
    {
        for (var i = 0; i < 10; i++) Assert.Equal(ReasonCode.NotAuthorized, await ExchangeAsync("wrong"));
        Assert.Single(_events);
        Assert.Equal(ReasonCode.ConnectionRateExceeded, await ExchangeAsync("right"));
        Assert.Equal(ReasonCode.ConnectionRateExceeded, await LoginAsync("right"));
    }

    [Fact]
    public async Task Who_names_no_user_is_not_counted()
    {
        for (var i = 0; i < 20; i++)
            Assert.Equal(ReasonCode.NotAuthorized, (await _access.AuthenticateAsync(Users.Attempt(null, null), CancellationToken.None)).Reason);
        Assert.Equal((0, 0), (_guard.Statistics.Failures, _guard.Statistics.Addresses));
    }

    private async Task<ReasonCode> LoginAsync(string password, string remote = "10.0.0.9:1")
    {
        var attempt = Users.Attempt("alice", password) with { RemoteAddress = remote, Trusted = remote == "unix" };
        return (await WhileTimePasses(_access.AuthenticateAsync(attempt, CancellationToken.None).AsTask())).Reason;
    }

    private async Task<ReasonCode> ExchangeAsync(string password)
    {
        var client = new ScramClient("alice", password);
        var server = _access.BeginAuthentication(client.Method, Users.Attempt(null, null))!;
        var step = await WhileTimePasses(server.ContinueAsync(client.Start(), CancellationToken.None).AsTask());
        if (step.Verdict is null) step = await WhileTimePasses(server.ContinueAsync(client.Respond(step.Data), CancellationToken.None).AsTask());
        return step.Verdict!.Value.Reason;
    }

    private async Task<T> WhileTimePasses<T>(Task<T> task)
    {
        while (!task.IsCompleted)
        {
            _time.AdvanceSeconds(0.1);
            await Task.WhenAny(task, Task.Delay(1));
        }

        return await task;
    }
}
