using System.Net.Sockets;
using System.Runtime.InteropServices;
using EdgeFirmware.Contracts.Links;
using static EdgeFirmware.Platform.Network.Links.RouteNumbers;

namespace EdgeFirmware.Platform.Network.Links;

/// <summary>A NETLINK_ROUTE socket (netlink(7), rtnetlink(7)): asks for dumps, or hears of changes. One user at a time.</summary>
internal sealed partial class RouteSocket : IDisposable
{
    private const int SOCK_RAW = 3, SOCK_CLOEXEC = 0x80000, NETLINK_ROUTE = 0;

    /// <summary>The kernel makes the datagrams of a dump no larger than 32 KiB (NLMSG_GOODSIZE and netlink_dump in net/netlink/af_netlink.c).</summary>
    private const int DatagramBytesMax = 64 * 1024;

    /// <summary>Of all answers to one question; a routing table of 30 000 lines.</summary>
    private const int DumpBytesMax = 4 << 20;

    /// <summary>A dump that changed under the kernel's hands is asked for again; after that it is taken as it is, for a change is told as well.</summary>
    private const int DumpsMax = 4;

    /// <summary>What is left then is one more reason to look.</summary>
    private const int DrainedMax = 1024;

    private readonly Socket _socket;
    private readonly byte[] _buffer;
    private uint _sequence;

    private RouteSocket(Socket socket, int bufferBytes)
    {
        _socket = socket;
        _buffer = new byte[bufferBytes];
    }

    public delegate void MessageTaker(ushort type, ReadOnlySpan<byte> payload);

    /// <exception cref="LinkException">The kernel or the service's sandbox has no netlink for us.</exception>
    public static RouteSocket OpenForDumps() => Open(0, DatagramBytesMax);

    /// <summary>Its messages only say that something has changed.</summary>
    /// <param name="groups">RTMGRP_ bits.</param>
    /// <exception cref="LinkException">As above.</exception>
    public static RouteSocket OpenForChanges(uint groups) => Open(groups, 4096);

    public void Dispose() => _socket.Dispose();

    /// <summary>Waits for a change; more than one may have come together, or have been lost for want of room (ENOBUFS).</summary>
    /// <exception cref="LinkException">The socket is broken.</exception>
    public async ValueTask ChangedAsync(CancellationToken cancel)
    {
        try
        {
            await _socket.ReceiveAsync(_buffer, SocketFlags.None, cancel);
        }
        catch (SocketException error)
        {
            Ignore(error);
        }
    }

    /// <summary>Forgets the changes that are there, which one look at everything will cover.</summary>
    public void Drain()
    {
        for (var left = DrainedMax; left > 0 && _socket.Poll(0, SelectMode.SelectRead); left--)
            try
            {
                _socket.Receive(_buffer);
            }
            catch (SocketException error)
            {
                Ignore(error);
            }
    }

    /// <summary>Asks for a table and hands over its messages. <paramref name="again"/> gives a taker that has taken nothing yet.</summary>
    /// <exception cref="LinkException">Refused, unreadable, or too much.</exception>
    public async Task DumpAsync(IReadOnlyList<ushort> questions, byte family, Func<MessageTaker> again, CancellationToken cancel)
    {
        for (var dump = 1; ; dump++)
        {
            var taker = again();
            var isWhole = true;
            foreach (var question in questions)
                isWhole &= await DumpAsync(question, family, taker, cancel);
            if (isWhole || dump >= DumpsMax)
                return;
        }
    }

    /// <returns>Whether nothing changed while it was told.</returns>
    private async Task<bool> DumpAsync(ushort question, byte family, MessageTaker taker, CancellationToken cancel)
    {
        try
        {
            Ask(question, family);
            var progress = default(DumpProgress);
            for (var left = DumpBytesMax; !progress.IsDone;)
            {
                var length = await _socket.ReceiveAsync(_buffer, SocketFlags.None, cancel);
                if ((left -= length) < 0)
                    throw new LinkException($"the answer to rtnetlink's question {question} is larger than {DumpBytesMax >> 20} MiB");
                progress = Take(_buffer.AsSpan(0, length), _sequence, taker, progress);
            }
            return progress.Fault switch
            {
                0 => !progress.IsTorn,
                _ => throw new LinkException($"rtnetlink refuses question {question}: errno {progress.Fault}"),
            };
        }
        catch (SocketException error)
        {
            throw new LinkException($"rtnetlink: {error.Message}", error);
        }
    }

    /// <summary>struct nlmsghdr, then ifinfomsg, ifaddrmsg, rtmsg or ndmsg, each with the family first and the rest 0.</summary>
    private void Ask(ushort question, byte family)
    {
        Span<byte> message = stackalloc byte[NetlinkReader.HeaderBytes + question switch { RTM_GETLINK => 16, RTM_GETADDR => 8, _ => 12 }];
        message.Clear();
        MemoryMarshal.Write(message, (uint)message.Length);
        MemoryMarshal.Write(message[4..], question);
        MemoryMarshal.Write(message[6..], (ushort)(NLM_F_REQUEST | NLM_F_DUMP));
        MemoryMarshal.Write(message[8..], ++_sequence);
        message[NetlinkReader.HeaderBytes] = family;
        _socket.Send(message);
    }

    /// <summary>Takes one datagram of a dump. What belongs to another question is left aside.</summary>
    internal static DumpProgress Take(ReadOnlySpan<byte> datagram, uint sequence, MessageTaker taker, DumpProgress progress)
    {
        var reader = new NetlinkReader(datagram);
        while (!progress.IsDone && reader.Read())
        {
            if (reader.Sequence != sequence)
                continue;
            progress.IsTorn |= (reader.Flags & NLM_F_DUMP_INTR) != 0;
            switch (reader.Type)
            {
                case NLMSG_DONE:
                    progress.IsDone = true;
                    break;
                case NLMSG_ERROR:
                    // struct nlmsgerr: a negative errno; 0 would be an acknowledgement, which a dump has not.
                    progress.IsDone = true;
                    progress.Fault = reader.Payload.Length >= 4 && MemoryMarshal.Read<int>(reader.Payload) is < 0 and var code ? -code : -1;
                    break;
                case NLMSG_OVERRUN:
                    progress.IsTorn = true;
                    break;
                default:
                    taker(reader.Type, reader.Payload);
                    break;
            }
        }
        progress.IsTorn |= reader.IsCutOff;
        return progress;
    }

    private static void Ignore(SocketException error)
    {
        if (error.SocketErrorCode is not (SocketError.NoBufferSpaceAvailable or SocketError.MessageSize or SocketError.WouldBlock))
            throw new LinkException($"rtnetlink: {error.Message}", error);
    }

    private static RouteSocket Open(uint groups, int bufferBytes)
    {
        var handle = OpenSocket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
        if (handle.IsInvalid)
            throw new LinkException($"no rtnetlink socket: {Marshal.GetLastPInvokeErrorMessage()}");
        // struct sockaddr_nl: family (2), pad (2), port, groups. Port 0: the kernel chooses.
        Span<byte> address = stackalloc byte[12];
        address.Clear();
        MemoryMarshal.Write(address, (ushort)AF_NETLINK);
        MemoryMarshal.Write(address[8..], groups);
        if (Bind(handle, in address[0], address.Length) != 0)
        {
            var why = Marshal.GetLastPInvokeErrorMessage();
            handle.Dispose();
            throw new LinkException($"rtnetlink does not tell of changes: {why}");
        }
        return new RouteSocket(new Socket(handle), bufferBytes);
    }

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial SafeSocketHandle OpenSocket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    private static partial int Bind(SafeSocketHandle socket, in byte address, int length);
}

/// <summary>How far the answer to one question has come.</summary>
internal record struct DumpProgress(bool IsDone, bool IsTorn, int Fault);
