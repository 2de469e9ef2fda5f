using System.Net;

namespace EdgeFirmware.Mqtt.Access;

/// <summary>How much guessing an address is allowed.</summary>
public sealed class LoginThrottleOptions
{
    /// <value>Failures without a consequence: people mistype. As many attempts may be under way at once before any is known to be right.</value>
    public int FreeFailures { get; set; } = 5;

    /// <value>Failures after which the address is refused; those between the two are answered ever more slowly.</value>
    public int FailuresMax { get; set; } = 10;

    /// <value>One failure is forgotten after this time, and nothing else makes it forgotten: not a login that succeeds.</value>
    public TimeSpan ForgetAfter { get; set; } = TimeSpan.FromMinutes(1);

    /// <value>Time between attempts once an address is slowed; doubles with each failure.</value>
    public TimeSpan Delay { get; set; } = TimeSpan.FromSeconds(1);

    /// <value>Longest time between attempts. An attempt that would wait longer for its turn is refused.</value>
    public TimeSpan DelayMax { get; set; } = TimeSpan.FromSeconds(8);

    /// <value>How long an address is refused the first time; doubles each time until it has been quiet.</value>
    public TimeSpan RefuseFor { get; set; } = TimeSpan.FromMinutes(5);

    public TimeSpan RefuseMax { get; set; } = TimeSpan.FromHours(1);

    /// <value>Addresses that are remembered; the least suspicious is forgotten for another.</value>
    public int AddressesMax { get; set; } = 1024;

    /// <value>Networks whose addresses are never slowed or refused, such as a gateway that many devices come through.</value>
    public IReadOnlyList<IPNetwork> Exempt { get; set; } = [];
}
