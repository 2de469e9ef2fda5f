using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace EdgeFirmware.Platform.Peers;

/// <summary>Reads from a UDP socket's error queue where nobody listens: after <c>IP_RECVERR</c> (ip(7), ipv6(7)) the kernel keeps each ICMP error with
/// the address its datagram was for.</summary>
internal static unsafe partial class RefusedDestinations
{
    // linux/in.h, linux/in6.h, asm-generic/errno.h, linux/errqueue.h, linux/socket.h; the same on ARM and x86.
    private const int SolIp = 0;
    private const int SolIpv6 = 41;
    private const int IpRecvErr = 11;
    private const int Ipv6RecvErr = 25;
    private const uint ConnectionRefused = 111;
    private const int MsgErrQueue = 0x2000;
    private const int MsgDontWait = 0x40;
    private const ushort AfInet = 2;
    private const ushort AfInet6 = 10;

    /// <summary>Errors read at once: a flood of them must not hold up what is received.</summary>
    private const int ErrorsMax = 64;

    /// <summary>struct msghdr of the C libraries (socket.h); its fields are words.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct MessageHeader
    {
        public byte* Name;
        public uint NameLength;
        public void* Vector;
        public nuint VectorLength;
        public byte* Control;
        public nuint ControlLength;
        public int Flags;
    }

    /// <summary>Asks the kernel to keep errors.</summary>
    public static void Enable(Socket socket)
    {
        Span<byte> on = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(on, 1);
        if (socket.AddressFamily == AddressFamily.InterNetwork)
            socket.SetRawSocketOption(SolIp, IpRecvErr, on);
        else
            socket.SetRawSocketOption(SolIpv6, Ipv6RecvErr, on);
    }

    /// <summary>Empties the queue.</summary>
    public static void Read(Socket socket, Action<IPEndPoint> refused)
    {
        var name = stackalloc byte[28];
        var control = stackalloc byte[256];
        for (var count = 0; count < ErrorsMax; count++)
        {
            var header = new MessageHeader { Name = name, NameLength = 28, Control = control, ControlLength = 256 };
            if (ReceiveMessage((int)socket.Handle, &header, MsgErrQueue | MsgDontWait) < 0)
                return;
            if (IsRefusal(new ReadOnlySpan<byte>(control, (int)header.ControlLength)) && Address(new ReadOnlySpan<byte>(name, (int)header.NameLength)) is { } address)
                refused(address);
        }
    }

    /// <summary>Whether a control message is a struct sock_extended_err whose ee_errno is ECONNREFUSED.</summary>
    internal static bool IsRefusal(ReadOnlySpan<byte> control)
    {
        // struct cmsghdr: length as a word, level, type; the data follows, aligned to a word.
        while (control.Length >= sizeof(nuint) + 12)
        {
            var length = sizeof(nuint) == 8 ? BinaryPrimitives.ReadUInt64LittleEndian(control) : BinaryPrimitives.ReadUInt32LittleEndian(control);
            var level = BinaryPrimitives.ReadInt32LittleEndian(control[sizeof(nuint)..]);
            var type = BinaryPrimitives.ReadInt32LittleEndian(control[(sizeof(nuint) + 4)..]);
            if ((level, type) is (SolIp, IpRecvErr) or (SolIpv6, Ipv6RecvErr))
                return BinaryPrimitives.ReadUInt32LittleEndian(control[(sizeof(nuint) + 8)..]) == ConnectionRefused;
            var next = (length + (ulong)sizeof(nuint) - 1) & ~((ulong)sizeof(nuint) - 1);
            if (next < (ulong)sizeof(nuint) + 8 || next > (ulong)control.Length)
                return false;
            control = control[(int)next..];
        }
        return false;
    }

    /// <summary>A struct sockaddr_in or sockaddr_in6.</summary>
    internal static IPEndPoint? Address(ReadOnlySpan<byte> name)
    {
        if (name.Length < 8)
            return null;
        var port = BinaryPrimitives.ReadUInt16BigEndian(name[2..]);
        return BinaryPrimitives.ReadUInt16LittleEndian(name) switch
        {
            AfInet => new IPEndPoint(new IPAddress(name.Slice(4, 4)), port),
            AfInet6 when name.Length >= 28 => new IPEndPoint(new IPAddress(name.Slice(8, 16), BinaryPrimitives.ReadUInt32LittleEndian(name[24..])), port),
            _ => null,
        };
    }

    [LibraryImport("libc", EntryPoint = "recvmsg", SetLastError = true)]
    private static partial nint ReceiveMessage(int socket, MessageHeader* message, int flags);
}
