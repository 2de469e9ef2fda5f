using EdgeFirmware.Contracts.Messaging;

namespace EdgeFirmware.Workloads.Tests.Support;

/// <summary>Keeps messages in memory as a broker's journal does on disk.</summary>
/// <param name="kept">Takes what is to be called at the next sync.</param>
internal sealed class ManualStore(Action<Action> kept) : IMessageStore
{
    private const long Jump = 1000;

    private readonly SortedDictionary<long, SensorMessage> _kept = [];
    private readonly List<SensorMessage> _put = [];
    private readonly Action<Action> _whenKept = kept;

    public Guid Stream { get; private init; } = Guid.NewGuid();

    public long Last { get; private set; }

    public IReadOnlyList<KeyValuePair<long, SensorMessage>> Kept => [.. _kept];

    /// <summary>What was put since the last <see cref="Copy"/>.</summary>
    public IReadOnlyList<SensorMessage> PutSince => _put;

    public long Put(SensorMessage message, Action kept)
    {
        Last++;
        if (message.Qos > 0)
        {
            _kept.Add(Last, message);
            _put.Add(message);
            _whenKept(kept);
        }
        return Last;
    }

    public void Remove(long number) => _kept.Remove(number);

    /// <summary>What is on disk from now on.</summary>
    public ManualStore Copy()
    {
        _put.Clear();
        return With(Last);
    }

    /// <summary>What a broker finds there when it starts again.</summary>
    public ManualStore Restored() => With(Last + Jump);

    private ManualStore With(long last)
    {
        var copy = new ManualStore(_whenKept) { Stream = Stream, Last = last };
        foreach (var (number, message) in _kept)
            copy._kept.Add(number, message);
        return copy;
    }
}
