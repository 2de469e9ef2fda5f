namespace EdgeFirmware.Mesh;

/// <summary>A hash that is the same on every machine and in every run, unlike <see cref="HashCode"/>: nodes compare what they know by it. FNV-1a over
/// words and characters, spread by a multiplication (Knuth). No protection from somebody who wants a collision.</summary>
internal struct StableHash()
{
    private ulong _state = 14695981039346656037UL;

    /// <summary>Never 0, which stands for nothing where hashes are joined by exclusive or.</summary>
    public readonly uint Value => (uint)((_state * 11400714819323198485UL) >> 32) | 1;

    public void Add(ulong word) => _state = (_state ^ word) * 1099511628211UL;

    public void Add(string text)
    {
        foreach (var character in text)
            Add(character);
    }
}
