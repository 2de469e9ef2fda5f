using System.Buffers;
using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Transport;

/// <summary>
/// Sends packets over a connection, many for one system call: packets are encoded into a pending buffer, and whoever found it
/// unscheduled owes one <see cref="Flush"/>, which sends until nothing is pending. Holds no memory while there is nothing to send.
/// </summary>
internal sealed class PacketWriter(Wire wire, IWriterOwner owner)
{
    private readonly Lock _gate = new();
    private readonly OutputBuffer _pending = new();
    private TaskCompletionSource? _sent;
    private CommitMarks? _marks;
    private bool _parked;
    private int _sendingBytes;
    private bool _flushOwed;
    private bool _failed;
    private bool _notify;

    public int UnsentBytes => _sendingBytes + _pending.Length;

    /// <summary>Asks for one <see cref="IWriterOwner.OnDrained"/>. False: everything is sent already, so there will be none.</summary>
    public bool NotifyWhenSent()
    {
        lock (_gate) return _notify = _flushOwed;
    }

    /// <summary>Keeps back what is written from here on until <see cref="Release"/>. False: it waits for that commit already.</summary>
    public bool HoldUntil(long commit)
    {
        lock (_gate)
        {
            if (_failed) return false;
            return (_marks ??= new CommitMarks()).Add(commit, _pending.Length);
        }
    }

    /// <summary>Lets go what waited for <paramref name="commit"/> or one before it. True when the caller now owes a call of <see cref="Flush"/>.</summary>
    public bool Release(long commit)
    {
        lock (_gate)
        {
            _marks?.Drop(commit);
            if (!_parked) return false;
            _parked = false;
            return true;
        }
    }

    /// <summary>True when the caller now owes a call of <see cref="Flush"/>.</summary>
    public bool Write(Packet packet, ProtocolVersion version)
    {
        lock (_gate)
        {
            var start = _pending.Length;
            PacketEncoder.Write(_pending, packet, version);
            return Owe(start);
        }
    }

    /// <summary>Writes nothing and returns false when the packet is larger than <paramref name="packetBytesMax"/>.</summary>
    public bool TryWrite(Packet packet, ProtocolVersion version, uint packetBytesMax, out bool flushOwed)
    {
        lock (_gate)
        {
            flushOwed = false;
            var start = _pending.Length;
            PacketEncoder.Write(_pending, packet, version);
            if ((uint)(_pending.Length - start) > packetBytesMax)
            {
                _pending.Truncate(start);
                return false;
            }

            flushOwed = Owe(start);
            return true;
        }
    }

    /// <inheritdoc cref="Write"/>
    public bool WriteAck(PacketType type, ushort packetId, ReasonCode reason, ProtocolVersion version)
    {
        lock (_gate)
        {
            var start = _pending.Length;
            PacketEncoder.WriteAck(_pending, type, packetId, reason, version);
            return Owe(start);
        }
    }

    /// <summary>Writes nothing and returns false when the packet is larger than <paramref name="packetBytesMax"/>.</summary>
    public bool TryWritePublish(in OutgoingPublish publish, ProtocolVersion version, uint packetBytesMax, out bool flushOwed)
    {
        lock (_gate)
        {
            flushOwed = false;
            var start = _pending.Length;
            PacketEncoder.WritePublish(_pending, publish, version);
            if ((uint)(_pending.Length - start) > packetBytesMax)
            {
                _pending.Truncate(start);
                return false;
            }

            flushOwed = Owe(start);
            return true;
        }
    }

    /// <summary>
    /// Sends what is pending, and what becomes pending meanwhile. Returns as soon as the kernel does not take more at once.
    /// An exception other than a broken connection is a bug and ends the process, which is what <c>async void</c> does.
    /// </summary>
    public async void Flush()
    {
        while (TryTake(out var taken))
        {
            if (taken.Count == 0)
            {
                owner.OnDrained();
                continue;
            }

            try
            {
                // The kernel mostly takes everything at once; the asynchronous way costs an object for the life of the connection.
                var sent = wire.SendNow(taken);
                while (sent < taken.Count) sent += await wire.SendAsync(taken.AsMemory(sent));
                owner.OnSent(sent);
            }
            catch (Exception failure) when (Wire.IsGone(failure))
            {
                Fail();
                return;
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(taken.Array!);
            }
        }
    }

    /// <summary>Completes when nothing is waiting to be sent, also because the connection broke.</summary>
    public Task WhenSent()
    {
        lock (_gate)
        {
            if (!_flushOwed || _failed) return Task.CompletedTask;
            return (_sent ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    /// <param name="start">Where what was written begins.</param>
    private bool Owe(int start)
    {
        owner.OnEncoded(_pending.Length - start);
        if (_failed)
        {
            owner.OnDiscarded(_pending.Length);
            _pending.Clear();
            return false;
        }

        if (_flushOwed) return false;
        return _flushOwed = true;
    }

    /// <summary>The next bytes, or none of them when the owner is to be told that it drained; false at the end.</summary>
    private bool TryTake(out ArraySegment<byte> taken)
    {
        lock (_gate)
        {
            var free = _marks?.Free(_pending.Length) ?? _pending.Length;
            _sendingBytes = free;
            if (free > 0)
            {
                taken = _pending.Detach(free);
                _marks?.Shift(free);
                return true;
            }

            taken = default;
            if (_pending.Length > 0)
            {
                // The flush stays owed: whoever releases the bytes does it.
                _parked = true;
                return false;
            }

            if (_notify)
            {
                // Still owing the flush, so that what the owner writes now is sent by this loop and not by one inside it.
                _notify = false;
                return true;
            }

            _flushOwed = false;
            Announce();
            return false;
        }
    }

    /// <summary>The receiving side notices the broken connection by itself.</summary>
    private void Fail()
    {
        lock (_gate)
        {
            _failed = true;
            owner.OnDiscarded(_sendingBytes + _pending.Length);
            _sendingBytes = 0;
            _marks = null;
            _parked = false;
            _pending.Clear();
            Announce();
        }

        wire.Dispose();
    }

    private void Announce()
    {
        _sent?.TrySetResult();
        _sent = null;
    }
}
