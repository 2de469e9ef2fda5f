using System.Net.Sockets;
using System.Text;

namespace EdgeFirmware.Platform.Systemd;

/// <summary>Tells systemd that the service is ready, alive or stopping (sd_notify(3)). Does nothing outside a unit of <c>Type=notify</c>.
/// When systemd cannot be told, its own deadlines decide; the node runs on.</summary>
public sealed class ServiceNotifier
{
    private readonly string? _socket = Environment.GetEnvironmentVariable("NOTIFY_SOCKET");

    /// <summary>Half of the unit's <c>WatchdogSec</c> (sd_watchdog_enabled(3)); <c>null</c> when no watchdog waits.</summary>
    public TimeSpan? WatchdogInterval { get; } = ReadWatchdog();

    public void Ready(string status) => Send($"READY=1\nSTATUS={status}");

    public void Alive() => Send("WATCHDOG=1");

    public void Stopping() => Send("STOPPING=1");

    private void Send(string message)
    {
        if (string.IsNullOrEmpty(_socket))
            return;
        // '@' stands for the zero byte of the abstract namespace.
        var address = new UnixDomainSocketEndPoint(_socket[0] == '@' ? "\0" + _socket[1..] : _socket);
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        try
        {
            socket.SendTo(Encoding.UTF8.GetBytes(message), address);
        }
        catch (SocketException)
        {
            // A variable inherited from a shell, or a systemd that restarts.
        }
    }

    private static TimeSpan? ReadWatchdog()
    {
        var pid = Environment.GetEnvironmentVariable("WATCHDOG_PID");
        return long.TryParse(Environment.GetEnvironmentVariable("WATCHDOG_USEC"), out var microseconds) && microseconds > 0
            && (pid is null || pid == Environment.ProcessId.ToString())
            ? TimeSpan.FromMicroseconds(microseconds / 2.0)
            : null;
    }
}
