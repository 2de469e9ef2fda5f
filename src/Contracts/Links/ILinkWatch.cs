namespace EdgeFirmware.Contracts.Links;

/// <summary>Tells of the interfaces of this network namespace.</summary>
public interface ILinkWatch
{
    /// <summary>The whole picture at once, and again whenever it has changed. At most <see cref="KernelLink.LinksMax"/> links, by index, without loopback
    /// and without interfaces that carry no IP. Ends only when cancelled.</summary>
    /// <exception cref="LinkException">The kernel does not tell. May be called again.</exception>
    IAsyncEnumerable<IReadOnlyList<KernelLink>> WatchAsync(CancellationToken cancel);
}

/// <summary>The kernel refuses what the links need.</summary>
public sealed class LinkException(string message, Exception? inner = null) : Exception(message, inner);
