using EdgeFirmware.Contracts.Mesh;

namespace EdgeFirmware.Contracts;

/// <summary>What a user asked to run: everything another node needs to run it too. Immutable; a change is a new deployment.</summary>
public sealed record WorkloadSpec
{
    /// <summary>Bounds on a spec that a user or a peer sends. A record of this size still fits one control frame.</summary>
    public const int ListLengthMax = 64;
    public const int TextLengthMax = 1024;

    private static readonly IReadOnlyDictionary<string, string> NoTexts = new Dictionary<string, string>();

    // The JSON source generator sets every init property, with null where the text has none: an initialiser would be overwritten.
    private readonly IReadOnlyList<string>? _command;
    private readonly IReadOnlyDictionary<string, string>? _environment;
    private readonly IReadOnlyList<string>? _inputs;
    private readonly IReadOnlyList<string>? _outputs;
    private readonly IReadOnlyDictionary<string, string>? _volumes;
    private readonly IReadOnlyList<string>? _requires;
    private readonly IReadOnlyList<string>? _prefers;
    private readonly int? _stopSeconds;

    public required string User { get; init; }

    public required string Name { get; init; }

    /// <summary>Image reference as the engine takes it.</summary>
    public required string Image { get; init; }

    /// <summary>Arguments after the image's entry point.</summary>
    public IReadOnlyList<string> Command { get => _command ?? []; init => _command = value; }

    public IReadOnlyDictionary<string, string> Environment { get => _environment ?? NoTexts; init => _environment = value; }

    /// <summary>Topic filters whose messages are kept for the workload until it has acknowledged them, wherever it runs.</summary>
    public IReadOnlyList<string> Inputs { get => _inputs ?? []; init => _inputs = value; }

    /// <summary>Topics the workload publishes to, handed to it as <c>EDGE_OUTPUTS</c>.</summary>
    public IReadOnlyList<string> Outputs { get => _outputs ?? []; init => _outputs = value; }

    /// <summary>Volume name → path in the container; content moves with the workload.</summary>
    public IReadOnlyDictionary<string, string> Volumes { get => _volumes ?? NoTexts; init => _volumes = value; }

    /// <summary>Memory the container may use; 0 = no limit, and then placement assumes <see cref="MemoryBytesAssumed"/>.</summary>
    public long MemoryBytesMax { get; init; }

    public const long MemoryBytesAssumed = 64L << 20;

    /// <summary>Cores the workload needs, for placement (the papers' U); not a hard quota. 0 = <see cref="CpuCoresAssumed"/>.</summary>
    public double CpuCores { get; init; }

    public const double CpuCoresAssumed = 0.1;

    /// <summary>Upper bound on the latency of one message (the papers' t_th), milliseconds; 0 = none.</summary>
    public double LatencyMillisecondsMax { get; init; }

    /// <summary>Labels that a node must have to run it.</summary>
    public IReadOnlyList<string> Requires { get => _requires ?? []; init => _requires = value; }

    /// <summary>Labels that make a node better for it.</summary>
    public IReadOnlyList<string> Prefers { get => _prefers ?? []; init => _prefers = value; }

    /// <summary>Labels of either kind.</summary>
    public const int LabelsMax = 12;

    /// <summary>How long SIGTERM may take before SIGKILL.</summary>
    public int StopSeconds { get => _stopSeconds ?? 5; init => _stopSeconds = value; }

    public WorkloadId Id => WorkloadId.Of(User, Name);

    public long MemoryBytesNeeded => MemoryBytesMax > 0 ? MemoryBytesMax : MemoryBytesAssumed;

    public double CpuCoresNeeded => CpuCores > 0 ? CpuCores : CpuCoresAssumed;

    /// <summary>Everything wrong with the spec, in words for the user; empty when it is fit to run.</summary>
    public IReadOnlyList<string> Faults()
    {
        var faults = new List<string>();
        if (!WorkloadId.IsUser(User))
            faults.Add($"user '{User}': 1-{WorkloadId.UserLengthMax} of a-z 0-9 _ ., no hyphen and no '..'");
        if (!WorkloadId.IsName(Name))
            faults.Add($"name '{Name}': 1-{WorkloadId.NameLengthMax} of a-z 0-9 _ . -, no '..'");
        if (string.IsNullOrWhiteSpace(Image) || Image.Length > TextLengthMax || Image.Any(char.IsWhiteSpace))
            faults.Add("image: a reference without spaces is needed");
        CheckTexts(faults, "command", Command);
        CheckTexts(faults, "inputs", Inputs);
        CheckTexts(faults, "outputs", Outputs);
        CheckTexts(faults, "environment", Environment.Select(pair => $"{pair.Key}={pair.Value}").ToList());
        if (Environment.Keys.Any(key => key.Length == 0 || key.Contains('=', StringComparison.Ordinal) || key.StartsWith("EDGE_", StringComparison.Ordinal)))
            faults.Add("environment: names are not empty, hold no '=' and do not start with EDGE_, which the firmware sets");
        CheckLabels(faults, "requires", Requires);
        CheckLabels(faults, "prefers", Prefers);
        if (Outputs.Any(topic => topic.AsSpan().ContainsAny('+', '#')))
            faults.Add("outputs: topics, not filters");
        if (Volumes.Count > ListLengthMax)
            faults.Add($"volumes: at most {ListLengthMax}");
        foreach (var (name, path) in Volumes)
            if (!WorkloadId.IsName(name) || path is null || !path.StartsWith('/') || path.Length < 2 || path.Length > TextLengthMax || path.Split('/').Contains(".."))
                faults.Add($"volume '{name}': a name and an absolute path other than / are needed");
        if (MemoryBytesMax < 0 || MemoryBytesMax is > 0 and < 6 << 20)
            faults.Add("memoryBytesMax: 0, or at least 6 MiB");
        if (CpuCores is < 0 or > 1024 || double.IsNaN(CpuCores))
            faults.Add("cpuCores: 0-1024");
        if (LatencyMillisecondsMax < 0 || double.IsNaN(LatencyMillisecondsMax))
            faults.Add("latencyMillisecondsMax: 0 or more");
        if (StopSeconds is < 0 or > 300)
            faults.Add("stopSeconds: 0-300");
        return faults;
    }

    private static void CheckLabels(List<string> faults, string what, IReadOnlyList<string> labels)
    {
        if (labels.Count > LabelsMax)
            faults.Add($"{what}: at most {LabelsMax}");
        else if (labels.Any(label => !Offer.IsLabel(label)))
            faults.Add($"{what}: labels of 1-{Offer.NameLengthMax} of a-z 0-9 . _ - =");
    }

    private static void CheckTexts(List<string> faults, string what, IReadOnlyList<string> texts)
    {
        if (texts.Count > ListLengthMax)
            faults.Add($"{what}: at most {ListLengthMax}");
        else if (texts.Any(text => text is null || text.Length > TextLengthMax || text.Contains('\0', StringComparison.Ordinal)))
            faults.Add($"{what}: entries of at most {TextLengthMax} characters");
        else if (what is "inputs" or "outputs" && texts.Any(text => text.Length == 0))
            faults.Add($"{what}: empty topic");
    }
}
