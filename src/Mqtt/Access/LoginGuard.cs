using System.Net;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Mqtt.Access;

/// <summary>A <see cref="LoginThrottle"/> with a clock, for every way into a program that takes passwords. Thread safe.</summary>
/// <param name="refused">Told when an address begins to be refused, and for how long; it must be quick.</param>
public sealed class LoginGuard(LoginThrottle throttle, TimeProvider time, ILogger logger, Action<IPAddress, TimeSpan>? refused = null)
{
    /// <summary>Well below the connect timeout: who waits so long has been cut off, and what is checked then is for nothing.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(8);

    private readonly Lock _gate = new();
    private readonly long _startedAt = time.GetTimestamp();

    /// <summary>Counters since start and what is refused now.</summary>
    public LoginStatistics Statistics
    {
        get
        {
            lock (_gate)
            {
                return new LoginStatistics(
                    throttle.Failures, throttle.Slowed, throttle.Refusals, throttle.Addresses, [.. throttle.Refused(time.GetElapsedTime(_startedAt))]);
            }
        }
    }

    /// <summary>Waits until an attempt may be heard; false: it is refused. After true comes <see cref="End"/>, whatever happens.</summary>
    public async ValueTask<bool> BeginAsync(IPAddress address, CancellationToken cancellation)
    {
        var since = time.GetTimestamp();
        for (var waited = false; ; waited = true)
        {
            LoginVerdict verdict;
            lock (_gate) verdict = throttle.Begin(address, time.GetElapsedTime(_startedAt), waited);
            if (verdict.Wait is not { } wait) return verdict.MayGoOn;
            if (time.GetElapsedTime(since) + wait > Patience) return false;
            await Task.Delay(wait, time, cancellation);
        }
    }

    public void End(IPAddress address, bool failed)
    {
        TimeSpan refusedFor;
        lock (_gate)
        {
            if (!throttle.End(address, failed, time.GetElapsedTime(_startedAt), out refusedFor)) return;
        }

        MqttLog.LoginsRefused(logger, address.ToString(), (long)refusedFor.TotalSeconds);
        refused?.Invoke(address, refusedFor);
    }

    /// <summary>Lets an address in again. False: it was not refused.</summary>
    public bool Pardon(IPAddress address)
    {
        lock (_gate) return throttle.Pardon(address, time.GetElapsedTime(_startedAt));
    }
}

/// <param name="Refused">Addresses, and how much longer.</param>
public sealed record LoginStatistics(
    long Failures, long Slowed, long Refusals, int Addresses, IReadOnlyList<(IPAddress Address, TimeSpan Left)> Refused);
