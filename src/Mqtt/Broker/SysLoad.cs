using System.Globalization;

namespace EdgeFirmware.Mqtt.Broker;

/// <summary>
/// The <c>load</c> topics: for each counter what it grows by in a minute, averaged over 1, 5 and 15 minutes with exponentially fading
/// weight, as the load averages of Unix are.
/// </summary>
internal sealed class SysLoad
{
    private static readonly string[] Names =
    [
        "messages/received", "messages/sent", "publish/received", "publish/sent", "publish/dropped", "bytes/received", "bytes/sent", "sockets",
        "connections",
    ];

    private static readonly int[] Minutes = [1, 5, 15];

    private readonly double[] _averages = new double[Names.Length * Minutes.Length];
    private long[] _before = new long[Names.Length];
    private TimeSpan _at;

    public void Advance(BrokerStatistics now)
    {
        var elapsed = (now.Uptime - _at).TotalMinutes;
        if (elapsed <= 0) return;
        _at = now.Uptime;
        // Every socket that is accepted here sends a CONNECT or is closed.
        long[] counters =
        [
            now.PacketsIn, now.PacketsOut, now.MessagesIn, now.MessagesOut, now.MessagesDropped, now.BytesIn, now.BytesOut, now.ConnectionsAccepted,
            now.ConnectionsAccepted,
        ];
        for (var i = 0; i < counters.Length; i++)
        {
            var rate = (counters[i] - _before[i]) / elapsed;
            for (var j = 0; j < Minutes.Length; j++)
            {
                ref var average = ref _averages[(i * Minutes.Length) + j];
                average = rate + (Math.Exp(-elapsed / Minutes[j]) * (average - rate));
            }
        }

        _before = counters;
    }

    public void Tell(Action<string, string> tell)
    {
        for (var i = 0; i < _averages.Length; i++)
        {
            var name = $"load/{Names[i / Minutes.Length]}/{Minutes[i % Minutes.Length]}min";
            tell(name, _averages[i].ToString("F2", CultureInfo.InvariantCulture));
        }
    }
}
