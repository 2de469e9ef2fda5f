using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace EdgeFirmware.Platform.Tests.Network.Links;

/// <summary>A network namespace that lives as long as a thread of this process: what the thread opens or starts is inside, whoever uses it later.</summary>
internal sealed partial class NodeNamespace : IDisposable
{
    private const int NewNet = 0x40000000;

    private readonly BlockingCollection<Action> _work = [];
    private readonly Thread _thread;

    private NodeNamespace()
    {
        _thread = new Thread(() =>
        {
            foreach (var action in _work.GetConsumingEnumerable())
                action();
        });
        _thread.Start();
    }

    /// <summary>For <c>ip link … netns</c>.</summary>
    public string File { get; private set; } = "";

    /// <returns><c>null</c> where it is not allowed.</returns>
    public static NodeNamespace? TryCreate()
    {
        var made = new NodeNamespace();
        var isNew = made.Do(() => unshare(NewNet) == 0);
        if (!isNew)
        {
            made.Dispose();
            return null;
        }
        made.File = made.Do(() => $"/proc/{new FileInfo("/proc/thread-self").LinkTarget}/ns/net");
        made.Ip("link set lo up");
        return made;
    }

    public T Do<T>(Func<T> inside)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Add(() =>
        {
            try
            {
                done.SetResult(inside());
            }
            catch (Exception fault)
            {
                done.SetException(fault);
            }
        });
        return done.Task.GetAwaiter().GetResult();
    }

    public void Do(Action inside) => Do(() =>
    {
        inside();
        return 0;
    });

    public void Ip(string arguments) => Do(() =>
    {
        using var process = Process.Start(new ProcessStartInfo("ip", arguments) { RedirectStandardError = true })!;
        var said = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"ip {arguments}: {said}");
    });

    public int IndexOf(string name) => Do(() => if_nametoindex(name));

    public void Dispose()
    {
        _work.CompleteAdding();
        _thread.Join();
        _work.Dispose();
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int unshare(int kinds);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int if_nametoindex(string name);
}
