namespace EdgeFirmware.Overlay.Relaying;

/// <summary>What a neighbour was told of each destination, so that it is told only what is different now.</summary>
internal sealed class Told
{
    private readonly Dictionary<int, Print> _prints = [];

    /// <returns>0: not told, or told that it is not reached.</returns>
    public long Of(int destination) => _prints.TryGetValue(destination, out var print) ? print.Value : 0;

    /// <summary>It was told the ID that goes with the handle.</summary>
    public bool Knows(int destination) => _prints.ContainsKey(destination);

    /// <summary>Destinations that it takes for reached.</summary>
    public List<int> Reached()
    {
        var reached = new List<int>();
        foreach (var (destination, print) in _prints)
            if (print.Value != 0)
                reached.Add(destination);
        return reached;
    }

    public void Is(int destination, long value)
    {
        if (_prints.TryGetValue(destination, out var print))
            print.Value = value;
        else
            _prints.Add(destination, new Print { Value = value });
    }

    public void Forget() => _prints.Clear();

    private sealed class Print
    {
        public long Value { get; set; }
    }
}
