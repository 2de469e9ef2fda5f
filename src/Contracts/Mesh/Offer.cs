namespace EdgeFirmware.Contracts.Mesh;

/// <summary>How much a node can take on: the papers' collaboration level (platform paper, section 5).</summary>
public enum CollaborationLevel
{
    /// <summary>Messaging only; it may help to reach its own neighbours.</summary>
    Messaging = 0,

    /// <summary>Also persistent storage: it can hold a container but not run it now.</summary>
    Storage = 1,

    /// <summary>Storage, CPU and memory: a migration can start at once.</summary>
    Everything = 2,
}

/// <summary>A node's advertisement: what it offers its neighbours. It rides on gossip, so it is small; its node signs it, and it is not believed
/// longer than <see cref="Validity"/> after it was heard.</summary>
/// <param name="Version">Raised by the node at every change; starts anew with each boot.</param>
/// <param name="Why">What keeps the level from being higher, or empty.</param>
/// <param name="CpuCores">Usable cores.</param>
/// <param name="CpuFreeCores">Cores neither used nor promised.</param>
/// <param name="MemoryFreeBytes">Memory neither used nor promised.</param>
/// <param name="DiskFreeBytes">Free space where the engine keeps containers.</param>
/// <param name="Architecture">In the engine's words: <c>amd64</c>, <c>arm64</c>, <c>arm</c>.</param>
/// <param name="Engine">Name and version, or empty when none answers.</param>
/// <param name="Overloaded">It looks for a place for work of its own.</param>
public sealed record Offer(
    uint Version,
    CollaborationLevel Level,
    string Why,
    double CpuCores,
    double CpuFreeCores,
    long MemoryBytes,
    long MemoryFreeBytes,
    long DiskFreeBytes,
    string Architecture,
    int PageBytes,
    string Engine,
    bool CanCheckpoint,
    bool Overloaded)
{
    /// <summary>Bounds on text from a peer, bytes of UTF-8.</summary>
    public const int WhyLengthMax = 60;
    public const int NameLengthMax = 24;

    /// <summary>Labels of one node.</summary>
    public const int LabelsMax = 12;

    public static readonly TimeSpan ValidityMax = TimeSpan.FromHours(18);

    /// <summary>How long it is believed after it was heard; its node repeats it well before. At most <see cref="ValidityMax"/>, whole seconds.</summary>
    public TimeSpan Validity { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>What the node foresees.</summary>
    public Outlook Outlook { get; init; }

    /// <summary>What it can reach others by.</summary>
    public LinkKinds Links { get; init; }

    /// <summary>What is here, for affinity: sensors and buses as the kernel names their class (<c>gpio</c>, <c>i2c</c>, <c>iio</c>, <c>ble</c>) and
    /// the operator's own words (<c>roof</c>); 1-24 of <c>a-z 0-9 . _ - =</c>, in order, at most <see cref="LabelsMax"/>.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>1-24 of <c>a-z 0-9 . _ - =</c>.</summary>
    public static bool IsLabel(ReadOnlySpan<char> text)
    {
        if (text.Length is 0 or > NameLengthMax)
            return false;
        foreach (var c in text)
            if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c is not ('.' or '_' or '-' or '='))
                return false;
        return true;
    }

    /// <summary>It gives away what it has and takes nothing on.</summary>
    public bool Draining { get; init; }
}

/// <summary>Kinds of links that carry traffic now.</summary>
[Flags]
public enum LinkKinds : byte
{
    None = 0,
    Wired = 1,
    Wireless = 2,

    /// <summary>Mobile or other link with a default route to the Internet.</summary>
    Wan = 4,

    /// <summary>IEEE 802.15.4 with 6LoWPAN.</summary>
    LowPan = 8,
    Bluetooth = 16,
}
