using System.Runtime.CompilerServices;
using EdgeFirmware.Contracts.Links;
using static EdgeFirmware.Platform.Network.Links.RouteNumbers;

namespace EdgeFirmware.Platform.Network.Links;

/// <summary>The kernel's interfaces over rtnetlink. A change is only a reason to look: everything is read anew, in the kernel's own state of that moment.
/// So a lost or unknown message, or a route that vanishes without one (IPv4 routes do, with their link), can spoil nothing.</summary>
/// <param name="root">What stands for <c>/</c>, without a slash at its end.</param>
public sealed class KernelLinkWatch(TimeProvider time, string root = "") : ILinkWatch
{
    private const uint Changes = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_IFADDR | RTMGRP_IPV6_ROUTE;

    private static readonly ushort[] Questions = [RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE];

    /// <summary>What belongs together comes together: an interface, its addresses, its routes.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromMilliseconds(10);

    /// <summary>Between two looks while changes keep coming.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    public async IAsyncEnumerable<IReadOnlyList<KernelLink>> WatchAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        using var changes = RouteSocket.OpenForChanges(Changes);
        using var dumps = RouteSocket.OpenForDumps();
        IReadOnlyList<KernelLink>? last = null;
        while (true)
        {
            changes.Drain();
            var looked = time.GetTimestamp();
            var next = await LookAsync(dumps, cancel);
            if (last is null || !AreSame(last, next))
                yield return last = next;
            await changes.ChangedAsync(cancel);
            var wait = Interval - time.GetElapsedTime(looked);
            await Task.Delay(wait > Settling ? wait : Settling, time, cancel);
        }
    }

    private async Task<IReadOnlyList<KernelLink>> LookAsync(RouteSocket dumps, CancellationToken cancel)
    {
        LinkPicture? picture = null;
        await dumps.DumpAsync(Questions, AF_UNSPEC, () => (picture = new LinkPicture(name => LinkNature.Read(root, name))).Take, cancel);
        return picture!.Build();
    }

    private static bool AreSame(IReadOnlyList<KernelLink> a, IReadOnlyList<KernelLink> b)
    {
        if (a.Count != b.Count)
            return false;
        for (var i = 0; i < a.Count; i++)
            if (!a[i].Equals(b[i]))
                return false;
        return true;
    }
}
