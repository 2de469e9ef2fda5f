using System.Net;
using System.Net.Sockets;

namespace EdgeFirmware.Mqtt.Access;

/// <summary>
/// Decides which addresses may try a password now. An address that fails often waits between attempts, then is refused for a while, longer each
/// time. A success forgives nothing, or an account of one's own would buy guesses at another's. Loopback waits but is never refused for its failures:
/// the way to the node's own tools stays open. No clock and no lock; times are of one clock that never jumps.
/// </summary>
public sealed class LoginThrottle(LoginThrottleOptions options)
{
    private const int Ipv6PrefixBytes = 8;

    private readonly Dictionary<IPAddress, Suspect> _suspects = [];

    /// <summary>Logins that failed since start.</summary>
    public long Failures { get; private set; }

    /// <summary>Attempts that had to wait.</summary>
    public long Slowed { get; private set; }

    /// <summary>Attempts that were refused unheard.</summary>
    public long Refusals { get; private set; }

    /// <summary>Addresses that are remembered.</summary>
    public int Addresses => _suspects.Count;

    /// <summary>Addresses that are refused now, and for how long. A network of IPv6 stands as its first address.</summary>
    public IEnumerable<(IPAddress Address, TimeSpan Left)> Refused(TimeSpan now)
    {
        foreach (var (address, suspect) in _suspects)
        {
            if (suspect.RefusedUntil > now) yield return (address, suspect.RefusedUntil - now);
        }
    }

    /// <summary>An attempt arrives. One that may go on is followed by <see cref="End"/>; one that waits asks again after that time.</summary>
    /// <param name="waited">It has asked before.</param>
    public LoginVerdict Begin(IPAddress address, TimeSpan now, bool waited = false)
    {
        if (IsExempt(address)) return LoginVerdict.GoOn;
        var key = KeyOf(address);
        var suspect = Find(key, now);
        var isLoopback = IPAddress.IsLoopback(key);
        if (suspect.RefusedUntil > now && !isLoopback) return Refuse();
        Forget(suspect, now);
        if (suspect.Pending > 0 && suspect.Pending + suspect.Level >= options.FreeFailures) return Wait(options.Delay / 20, waited);
        if (suspect.Level < options.FreeFailures || suspect.NextAt <= now)
        {
            suspect.Pending++;
            return LoginVerdict.GoOn;
        }

        return suspect.NextAt - now > options.DelayMax && !isLoopback ? Refuse() : Wait(suspect.NextAt - now, waited);
    }

    /// <summary>An attempt that went on is over. True: the address is refused from now on, for <paramref name="refusedFor"/>.</summary>
    public bool End(IPAddress address, bool failed, TimeSpan now, out TimeSpan refusedFor)
    {
        refusedFor = TimeSpan.Zero;
        if (failed) Failures++;
        if (IsExempt(address)) return false;
        var key = KeyOf(address);
        var suspect = Find(key, now);
        if (suspect.Pending > 0) suspect.Pending--;
        Forget(suspect, now);
        if (!failed)
        {
            if (suspect is { Pending: 0, Level: 0 } && suspect.RefusedUntil + options.RefuseMax <= now) _suspects.Remove(key);
            return false;
        }

        suspect.Level++;
        if (suspect.Level < options.FreeFailures) return false;
        suspect.NextAt = now + Doubled(options.Delay, suspect.Level - options.FreeFailures, options.DelayMax);
        if (suspect.Level < options.FailuresMax || IPAddress.IsLoopback(key)) return false;
        if (suspect.RefusedUntil + options.RefuseMax <= now) suspect.Times = 0;
        refusedFor = Doubled(options.RefuseFor, suspect.Times++, options.RefuseMax);
        suspect.RefusedUntil = now + refusedFor;
        // Afterwards it is as suspicious as one that has used up what is free.
        suspect.Level = options.FreeFailures;
        suspect.LevelAt = suspect.RefusedUntil;
        return true;
    }

    /// <summary>Lets an address in again. False: it was not refused.</summary>
    public bool Pardon(IPAddress address, TimeSpan now) => _suspects.Remove(KeyOf(address), out var suspect) && suspect.RefusedUntil > now;

    /// <summary>
    /// What stands for an address: an IPv6 network of 64 bits, as one machine has all of it. Link-local addresses share one prefix, so they stand for
    /// themselves.
    /// </summary>
    public static IPAddress KeyOf(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) return address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6 || address.IsIPv6LinkLocal || IPAddress.IsLoopback(address)) return address;
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(Ipv6PrefixBytes).Clear();
        return new IPAddress(bytes);
    }

    private bool IsExempt(IPAddress address)
    {
        if (options.Exempt.Count == 0) return false;
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        foreach (var network in options.Exempt)
        {
            if (network.Contains(plain)) return true;
        }

        return false;
    }

    private LoginVerdict Wait(TimeSpan time, bool waited)
    {
        if (!waited) Slowed++;
        return LoginVerdict.WaitFor(time);
    }

    private LoginVerdict Refuse()
    {
        Refusals++;
        return LoginVerdict.Refuse;
    }

    private Suspect Find(IPAddress key, TimeSpan now)
    {
        if (_suspects.TryGetValue(key, out var known)) return known;
        if (_suspects.Count >= options.AddressesMax) _suspects.Remove(LeastSuspicious(now));
        var added = new Suspect { LevelAt = now };
        _suspects.Add(key, added);
        return added;
    }

    /// <summary>Those who are refused go last, so that nobody gets free by trying from many addresses.</summary>
    private IPAddress LeastSuspicious(TimeSpan now) =>
        _suspects.MinBy(one => (one.Value.RefusedUntil > now ? one.Value.RefusedUntil : TimeSpan.Zero, one.Value.Pending, one.Value.Level, one.Value.LevelAt)).Key;

    private void Forget(Suspect suspect, TimeSpan now)
    {
        if (now <= suspect.LevelAt) return;
        var forgotten = (long)((now - suspect.LevelAt) / options.ForgetAfter);
        suspect.LevelAt = forgotten < suspect.Level ? suspect.LevelAt + (forgotten * options.ForgetAfter) : now;
        suspect.Level = (int)Math.Max(0, suspect.Level - forgotten);
    }

    private static TimeSpan Doubled(TimeSpan first, int times, TimeSpan longest)
    {
        var time = first * Math.Pow(2, Math.Min(times, 32));
        return time < longest ? time : longest;
    }

    private sealed class Suspect
    {
        /// <summary>Failures that are not forgotten yet, as of <see cref="LevelAt"/>.</summary>
        public int Level { get; set; }

        public TimeSpan LevelAt { get; set; }

        /// <summary>Attempts under way.</summary>
        public int Pending { get; set; }

        /// <summary>When a slowed address may try again.</summary>
        public TimeSpan NextAt { get; set; }

        public TimeSpan RefusedUntil { get; set; } = TimeSpan.MinValue;

        /// <summary>How often it has been refused in a row.</summary>
        public int Times { get; set; }
    }
}
