using System.Diagnostics.Metrics;

namespace EdgeFirmware.Mqtt.Broker;

/// <summary>Shows <see cref="BrokerMetric.All"/> and the limits to whoever listens to the meter; costs nothing while nobody does.</summary>
internal sealed class BrokerMeter : IDisposable
{
    private static readonly TimeSpan ReadingAgeMax = TimeSpan.FromSeconds(1);

    private static readonly BrokerLimit[] Limits = Enum.GetValues<BrokerLimit>();

    private readonly Lock _gate = new();
    private readonly MqttBroker _broker;
    private readonly Meter _meter;

    /// <summary>Which metrics were told from the reading; one that is asked for twice wants a new one.</summary>
    private readonly bool[] _told = new bool[BrokerMetric.All.Count + 1];
    private BrokerStatistics? _reading;

    public BrokerMeter(MqttBroker broker)
    {
        _broker = broker;
        _meter = new Meter(new MeterOptions(MqttBroker.MeterName) { Scope = broker });
        for (var i = 0; i < BrokerMetric.All.Count; i++)
        {
            var (index, metric) = (i, BrokerMetric.All[i]);
            if (metric.IsCounter) _meter.CreateObservableCounter(metric.Name, () => metric.Read(Reading(index)), metric.Unit, metric.Meaning);
            else _meter.CreateObservableGauge(metric.Name, () => metric.Read(Reading(index)), metric.Unit, metric.Meaning);
        }

        _meter.CreateObservableCounter("mqtt.broker.limit.hits", Hits, "{time}", "How often a limit was met.");
    }

    public void Dispose() => _meter.Dispose();

    private Measurement<long>[] Hits()
    {
        var reading = Reading(_told.Length - 1);
        return Array.ConvertAll(Limits, limit => new Measurement<long>(reading.Hits(limit), new KeyValuePair<string, object?>("limit", limit.ToString())));
    }

    /// <summary>One for all metrics of a collection, so that they agree.</summary>
    private BrokerStatistics Reading(int metric)
    {
        lock (_gate)
        {
            if (_reading is null || _told[metric] || _broker.Core.Now - _reading.Uptime > ReadingAgeMax)
            {
                _reading = _broker.Statistics;
                Array.Clear(_told);
            }

            _told[metric] = true;
            return _reading;
        }
    }
}
