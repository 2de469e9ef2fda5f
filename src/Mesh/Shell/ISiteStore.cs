using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mesh.Site;

namespace EdgeFirmware.Mesh.Shell;

/// <summary>Where a node keeps what it knows of its site.</summary>
public interface ISiteStore
{
    /// <summary>Returns once it is on the disk.</summary>
    /// <exception cref="StorageException">It could not be written; what was kept before is still there.</exception>
    Task KeepAsync(SiteFile file, byte[] content);
}
