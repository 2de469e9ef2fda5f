using System.Buffers;
using EdgeFirmware.Mqtt.Broker;

namespace EdgeFirmware.Mqtt.Transport;

/// <summary>
/// Bytes received and not yet consumed. While it is empty it holds no memory: one first waits with a zero-byte receive, and it rents
/// when there is something to read. The rented size follows the traffic, as long as there is memory for that.
/// </summary>
/// <param name="tightBytes">Of all buffers of a broker: beyond it they are as small as can be.</param>
internal sealed class ReceiveBuffer(BrokerCounters? counters = null, long tightBytes = long.MaxValue)
{
    public const int SmallestRentBytes = 2 << 10;
    private const int LargestRentBytes = 64 << 10;

    private byte[]? _bytes;
    private int _start;
    private int _end;
    private int _rentBytes = SmallestRentBytes;

    public ReadOnlySpan<byte> Received => _bytes.AsSpan(_start, _end - _start);

    public bool IsEmpty => _bytes is null;

    private int UsualRentBytes => counters?.ReceivingBytes > tightBytes ? SmallestRentBytes : _rentBytes;

    /// <summary>Waits for more bytes and says how many came. 0: the peer closed the connection.</summary>
    /// <param name="bytesWanted">What the buffer must be able to hold in all, for a packet larger than it.</param>
    public async ValueTask<int> ReceiveAsync(Wire wire, int bytesWanted)
    {
        if (IsEmpty) await wire.ReceiveAsync(Memory<byte>.Empty);
        var received = await wire.ReceiveAsync(Prepare(bytesWanted));
        Commit(received);
        return received;
    }

    /// <summary>Where the next bytes go; rents if need be.</summary>
    /// <param name="bytesWanted">What the buffer must be able to hold in all, for a packet larger than it.</param>
    public Memory<byte> Prepare(int bytesWanted)
    {
        if (_bytes is null) _bytes = Rent(Math.Max(UsualRentBytes, bytesWanted));
        else MakeRoom(bytesWanted);
        return _bytes.AsMemory(_end);
    }

    /// <summary>Takes in what was received into the memory of <see cref="Prepare"/>.</summary>
    public void Commit(int received)
    {
        if (received == _bytes!.Length - _end) _rentBytes = Math.Min(2 * _rentBytes, LargestRentBytes);
        else if (received < _rentBytes / 8) _rentBytes = Math.Max(_rentBytes / 2, SmallestRentBytes);
        _end += received;
    }

    /// <summary>Marks the first bytes as done with; gives the memory back when none are left.</summary>
    public void Consume(int bytes)
    {
        _start += bytes;
        if (_start == _end) Release();
    }

    public void Release()
    {
        if (_bytes is not null) Return(_bytes);
        _bytes = null;
        _start = _end = 0;
    }

    private byte[] Rent(int bytes)
    {
        var rented = ArrayPool<byte>.Shared.Rent(bytes);
        counters?.AddReceivingBytes(rented.Length);
        return rented;
    }

    private void Return(byte[] rented)
    {
        counters?.AddReceivingBytes(-rented.Length);
        ArrayPool<byte>.Shared.Return(rented);
    }

    private void MakeRoom(int bytesWanted)
    {
        var unread = Received;
        // Also grows with the traffic: of a stream of packets there is always a part left, so the buffer is never given back and rented anew.
        var wanted = Math.Max(Math.Max(bytesWanted, UsualRentBytes), unread.Length + 1);
        if (_bytes!.Length >= wanted)
        {
            unread.CopyTo(_bytes);
        }
        else
        {
            var larger = Rent(wanted);
            unread.CopyTo(larger);
            Return(_bytes);
            _bytes = larger;
        }

        _end -= _start;
        _start = 0;
    }
}
