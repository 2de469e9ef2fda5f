using EdgeFirmware.Lab.Os;

namespace EdgeFirmware.Lab.Sites;

/// <summary>Real overload: busy loops beside the firmware and its containers, under the same quota.</summary>
public sealed class Hog : IAsyncDisposable
{
    private readonly Cgroup _cgroup;
    private readonly List<Child> _loops;

    private Hog(Cgroup cgroup, List<Child> loops)
    {
        _cgroup = cgroup;
        _loops = loops;
    }

    public static Hog Start(Cgroup cgroup, NetworkNamespace network, int loops) =>
        new(cgroup, [.. Enumerable.Range(0, loops).Select(_ => Child.Start(cgroup, network, ["/bin/sh", "-c", "while :; do :; done"]))]);

    public async ValueTask DisposeAsync()
    {
        await _cgroup.KillAsync();
        foreach (var loop in _loops)
            loop.Dispose();
    }
}
