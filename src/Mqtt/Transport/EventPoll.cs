using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace EdgeFirmware.Mqtt.Transport;

/// <summary>The kernel's epoll (epoll(7)), edge-triggered: each change of a socket's state is told once. Numbers are those of the kernel's headers.</summary>
internal sealed partial class EventPoll : IDisposable
{
    public const uint In = 0x001;
    public const uint Out = 0x004;
    public const uint Error = 0x008;
    public const uint HangUp = 0x010;
    public const uint PeerShutDown = 0x2000;

    private const uint EdgeTriggered = 1u << 31;
    private const int CloseOnExec = 0x80000;
    private const int NonBlocking = 0x800;
    private const int Add = 1;
    private const int Interrupted = 4;

    /// <summary>struct epoll_event is packed on x86 and aligned to eight bytes elsewhere.</summary>
    private static readonly bool Packed = RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.X86;
    private static readonly int EventBytes = Packed ? 12 : 16;

    private readonly byte[] _events;
    private readonly SafeFileHandle _poll;
    private readonly SafeFileHandle _wake;

    /// <param name="eventsMax">How many changes one <see cref="Wait"/> tells at most.</param>
    /// <exception cref="IOException">No descriptor is left.</exception>
    public EventPoll(int eventsMax)
    {
        _events = new byte[eventsMax * EventBytes];
        _poll = Open(CreateNative(CloseOnExec));
        _wake = Open(EventNative(0, CloseOnExec | NonBlocking));
        Watch((int)_wake.DangerousGetHandle(), ulong.MaxValue);
    }

    /// <summary>Tells every change of the descriptor from now on, until it is closed.</summary>
    /// <param name="token">Comes back with each change. The highest one is taken.</param>
    /// <exception cref="IOException">The kernel has no memory for it.</exception>
    public void Watch(int descriptor, ulong token)
    {
        Span<byte> wanted = stackalloc byte[16];
        MemoryMarshal.Write(wanted, In | Out | PeerShutDown | EdgeTriggered);
        MemoryMarshal.Write(wanted[(EventBytes - 8)..], token);
        if (ControlNative(_poll, Add, descriptor, wanted) != 0) throw Failure();
    }

    /// <summary>Waits for changes and says how many there are; 0 also after <see cref="Wake"/>.</summary>
    public int Wait(bool mayBlock)
    {
        var count = WaitNative(_poll, _events, _events.Length / EventBytes, mayBlock ? -1 : 0);
        if (count < 0 && Marshal.GetLastPInvokeError() != Interrupted) throw Failure();
        return Math.Max(0, count);
    }

    /// <summary>One of the changes of the last <see cref="Wait"/>.</summary>
    public (ulong Token, uint What) this[int index]
    {
        get
        {
            var one = _events.AsSpan(index * EventBytes, EventBytes);
            return (MemoryMarshal.Read<ulong>(one[(EventBytes - 8)..]), MemoryMarshal.Read<uint>(one));
        }
    }

    /// <summary>Ends the present <see cref="Wait"/>, or the next. From any thread. Its counter is never read: each write is a new edge.</summary>
    public void Wake()
    {
        Span<byte> one = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(one, 1);
        WriteNative(_wake, one, 8);
    }

    public void Dispose()
    {
        _poll.Dispose();
        _wake.Dispose();
    }

    private static SafeFileHandle Open(int descriptor) =>
        descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw Failure();

    private static IOException Failure() => new(Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError()));

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    private static partial int CreateNative(int flags);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    private static partial int EventNative(uint value, int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    private static partial int ControlNative(SafeFileHandle poll, int operation, int descriptor, ReadOnlySpan<byte> wanted);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    private static partial int WaitNative(SafeFileHandle poll, Span<byte> events, int eventsMax, int milliseconds);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint WriteNative(SafeFileHandle descriptor, ReadOnlySpan<byte> bytes, nint count);
}
