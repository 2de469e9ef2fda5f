using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using EdgeFirmware.Contracts.Links;
using static EdgeFirmware.Platform.Network.Links.RouteNumbers;

namespace EdgeFirmware.Platform.Network.Links;

/// <summary>Probes by TCP from a socket that is bound to an interface. Needs no privilege on Linux 5.7 and later (commit c427bfec18f2), and no raw socket:
/// whoever answers does so for the same packets that MQTT will use.</summary>
public sealed class BoundProber(TimeProvider time) : ILinkProber
{
    /// <summary>SOL_SOCKET, SO_BINDTODEVICE (include/uapi/asm-generic/socket.h).</summary>
    private const int LevelSocket = 1, OptionBindToDevice = 25;

    /// <summary>IPPROTO_TCP, TCP_INFO, and where struct tcp_info has tcpi_total_retrans (include/uapi/linux/tcp.h).</summary>
    private const int LevelTcp = 6, OptionInfo = 11, TotalRetransmissions = 100;

    /// <summary>The kernel repeats a SYN after TCP_TIMEOUT_INIT (include/net/tcp.h).</summary>
    private static readonly TimeSpan RepeatedAfter = TimeSpan.FromSeconds(1);

    public async Task<ProbeAnswer> ProbeAsync(KernelLink link, IPEndPoint target, bool isGateway, TimeSpan patience, CancellationToken cancel)
    {
        var answer = await ConnectAsync(link, target, patience, cancel);
        return isGateway && answer.Outcome == ProbeOutcome.Silent ? await AskNeighboursAsync(link, target, cancel) : answer;
    }

    private async Task<ProbeAnswer> ConnectAsync(KernelLink link, IPEndPoint target, TimeSpan patience, CancellationToken cancel)
    {
        using var deadline = new CancellationTokenSource(patience, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancel);
        if (Open(link, target) is not { } socket)
            return new ProbeAnswer(ProbeOutcome.NotSent);
        using var owned = socket;
        var started = time.GetTimestamp();
        try
        {
            await socket.ConnectAsync(target, limit.Token);
            var elapsed = time.GetElapsedTime(started);
            return new ProbeAnswer(ProbeOutcome.Accepted, WasRepeated(socket) ? null : elapsed);
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.ConnectionRefused)
        {
            var elapsed = time.GetElapsedTime(started);
            return new ProbeAnswer(ProbeOutcome.Refused, elapsed < RepeatedAfter ? elapsed : null);
        }
        catch (SocketException)
        {
            return new ProbeAnswer(ProbeOutcome.Silent); // no neighbour, or a router or the own firewall says no
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return new ProbeAnswer(ProbeOutcome.Silent);
        }
    }

    private static bool WasRepeated(Socket connected)
    {
        Span<byte> information = stackalloc byte[TotalRetransmissions + sizeof(uint)];
        return connected.GetRawSocketOption(LevelTcp, OptionInfo, information) == information.Length
            && MemoryMarshal.Read<uint>(information[TotalRetransmissions..]) > 0;
    }

    /// <returns><c>null</c> when there can be no socket on this interface.</returns>
    private static Socket? Open(KernelLink link, IPEndPoint target)
    {
        Socket? socket = null;
        try
        {
            socket = new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.SetRawSocketOption(LevelSocket, OptionBindToDevice, Encoding.UTF8.GetBytes(link.Name + '\0'));
            // A reset instead of a farewell: two packets less, and no port in TIME_WAIT.
            socket.LingerState = new LingerOption(true, 0);
            return socket;
        }
        catch (SocketException)
        {
            socket?.Dispose();
            return null;
        }
    }

    private static async Task<ProbeAnswer> AskNeighboursAsync(KernelLink link, IPEndPoint gateway, CancellationToken cancel)
    {
        NeighbourPicture? picture = null;
        try
        {
            using var dumps = RouteSocket.OpenForDumps();
            await dumps.DumpAsync([RTM_GETNEIGH], gateway.AddressFamily == AddressFamily.InterNetwork ? AF_INET : AF_INET6, () =>
            {
                var taken = picture = new NeighbourPicture(link.Index, gateway.Address);
                return (_, payload) => taken.Take(payload);
            }, cancel);
        }
        catch (LinkException)
        {
            return new ProbeAnswer(ProbeOutcome.Silent); // no table: the silence stands
        }
        return new ProbeAnswer(picture!.GatewayIsThere ? ProbeOutcome.NeighbourOnly : ProbeOutcome.Silent, null, picture.OthersAreThere);
    }
}
