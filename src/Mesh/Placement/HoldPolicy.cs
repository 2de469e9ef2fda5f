using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;

namespace EdgeFirmware.Mesh.Placement;

/// <summary>Who may hold a workload that nobody can run: a node of level 1 or more with room on its disk. Pure.</summary>
public static class HoldPolicy
{
    /// <summary>Room that must be left: an image and its volumes come on top of what a node of level 1 keeps for itself.</summary>
    public const long DiskFreeBytesMin = 1L << 30;

    /// <summary>Likelier than this to fail soon, and nothing is safe there.</summary>
    private const double FailureMax = 0.5;

    /// <summary>The more room and the nearer, the better.</summary>
    public static Candidate Judge(NodeId node, Offer? offer, TimeSpan? roundTrip, string imageArchitecture)
    {
        if (offer is null)
            return Candidate.Unfit(node, "no valid offer heard");
        if (offer.Level < CollaborationLevel.Storage)
            return Candidate.Unfit(node, $"cannot hold it: level {(int)offer.Level}: {offer.Why}");
        if (offer.Draining)
            return Candidate.Unfit(node, "cannot hold it: draining");
        if (offer.Outlook.Failure > FailureMax)
            return Candidate.Unfit(node, $"cannot hold it: may fail soon ({offer.Outlook.Failure:0.00})");
        if (imageArchitecture.Length > 0 && offer.Architecture.Length > 0 && imageArchitecture != offer.Architecture)
            return Candidate.Unfit(node, $"image is for {imageArchitecture}, node is {offer.Architecture}");
        if (offer.DiskFreeBytes < DiskFreeBytesMin)
            return Candidate.Unfit(node, $"cannot hold it: {offer.DiskFreeBytes >> 20} MiB of disk free");
        var latency = 1 + (roundTrip ?? TimeSpan.FromMilliseconds(50)).TotalMilliseconds;
        return new Candidate(node, latency / (offer.DiskFreeBytes / (double)DiskFreeBytesMin), $"{offer.DiskFreeBytes >> 30} GiB of disk free");
    }
}
