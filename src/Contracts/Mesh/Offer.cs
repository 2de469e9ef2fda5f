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

/// <summary>A node's advertisement: what it offers its neighbours. It rides on gossip, so it is small, and it is not believed longer
/// than <see cref="Validity"/> after it was heard.</summary>
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
    public static readonly TimeSpan Validity = TimeSpan.FromSeconds(30);

    /// <summary>Bounds on text from a peer, bytes of UTF-8: four updates fit one datagram.</summary>
    public const int WhyLengthMax = 60;
    public const int NameLengthMax = 24;
}
