using System.Net.Sockets;
using System.Text;
using EdgeFirmware.Platform.Systemd;

namespace EdgeFirmware.Platform.Tests.Systemd;

/// <summary>Changes environment variables of the process, so all of it is one class: its tests run one after the other.</summary>
public sealed class ServiceNotifierTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("edge-notify-").FullName;

    public void Dispose()
    {
        Set(null, null, null);
        Directory.Delete(_directory, recursive: true);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Systemd_hears_what_the_service_says(bool isAbstract)
    {
        var name = isAbstract ? $"@edge-notify-{Guid.NewGuid():n}" : Path.Combine(_directory, "socket");
        using var systemd = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        systemd.Bind(new UnixDomainSocketEndPoint(isAbstract ? "\0" + name[1..] : name));
        systemd.ReceiveTimeout = 5000;
        Set(name, null, null);
        var service = new ServiceNotifier();
        service.Ready("gate runs");
        service.Alive();
        service.Stopping();
        Assert.Equal(["READY=1\nSTATUS=gate runs", "WATCHDOG=1", "STOPPING=1"], Enumerable.Range(0, 3).Select(_ => Receive(systemd)));
    }

    [Fact]
    public void Without_systemd_or_with_one_that_is_gone_it_says_nothing_and_does_not_fail()
    {
        Set(null, null, null);
        new ServiceNotifier().Ready("x");
        Set(Path.Combine(_directory, "gone"), null, null);
        new ServiceNotifier().Ready("x");
    }

    [Theory]
    [InlineData("4000000", null, 2.0)]
    [InlineData("4000000", "self", 2.0)]
    [InlineData("4000000", "1", null)]
    [InlineData("0", null, null)]
    [InlineData("soon", null, null)]
    [InlineData(null, null, null)]
    public void The_watchdog_is_patted_at_half_its_interval_and_only_when_it_is_ours(string? microseconds, string? pid, double? seconds)
    {
        Set(null, microseconds, pid == "self" ? Environment.ProcessId.ToString() : pid);
        Assert.Equal(seconds, new ServiceNotifier().WatchdogInterval?.TotalSeconds);
    }

    private static void Set(string? socket, string? microseconds, string? pid)
    {
        Environment.SetEnvironmentVariable("NOTIFY_SOCKET", socket);
        Environment.SetEnvironmentVariable("WATCHDOG_USEC", microseconds);
        Environment.SetEnvironmentVariable("WATCHDOG_PID", pid);
    }

    private static string Receive(Socket socket)
    {
        var buffer = new byte[200];
        return Encoding.UTF8.GetString(buffer, 0, socket.Receive(buffer));
    }
}
