using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace EdgeFirmware.Lab.Os;

/// <summary>A named network namespace. A socket belongs to the namespace of the thread that made it, so a short-lived thread is enough
/// to talk to an address inside; nothing has to be routed to the machine's own network.</summary>
public sealed partial class NetworkNamespace
{
    private const int NewNet = 0x40000000;

    private NetworkNamespace(string name) => Name = name;

    public string Name { get; }

    public string File => $"/run/netns/{Name}";

    public static async Task<NetworkNamespace> CreateAsync(string name)
    {
        await Command.LineAsync($"ip netns add {name}");
        await Command.LineAsync($"ip -n {name} link set lo up");
        return new NetworkNamespace(name);
    }

    public Task<string> IpAsync(string arguments) => Command.LineAsync($"ip -n {Name} {arguments}");

    public Task<string> RunAsync(string line) => Command.LineAsync($"nsenter --net={File} {line}");

    /// <summary>A TCP stream to an address as seen from inside.</summary>
    public async Task<NetworkStream> ConnectAsync(IPEndPoint to, CancellationToken cancel)
    {
        var socket = OpenSocket();
        try
        {
            await socket.ConnectAsync(to, cancel);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>An HTTP client whose every connection starts inside.</summary>
    public HttpClient HttpClient(IPEndPoint server) => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancel) => await ConnectAsync(server, cancel),
        PooledConnectionLifetime = TimeSpan.FromMinutes(10),
    })
    {
        BaseAddress = new Uri($"http://{server}/"),
        Timeout = TimeSpan.FromSeconds(30),
    };

    private Socket OpenSocket()
    {
        Socket? socket = null;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                using var handle = System.IO.File.OpenHandle(File);
                if (setns(handle.DangerousGetHandle().ToInt32(), NewNet) != 0)
                    throw new InvalidOperationException($"setns to {Name}: errno {Marshal.GetLastPInvokeError()}");
                socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            }
            catch (Exception exception)
            {
                failure = exception;
            }
        });
        thread.Start();
        thread.Join();
        return socket ?? throw new InvalidOperationException($"no socket in {Name}", failure);
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setns(int descriptor, int kind);
}
