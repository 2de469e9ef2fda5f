using System.Net.Sockets;
using EdgeFirmware.Mqtt.Packets;
using EdgeFirmware.Mqtt.Transport;

namespace EdgeFirmware.Mqtt.Broker;

/// <content>How it ends.</content>
internal sealed partial class BrokerConnection
{
    /// <summary>A few round trips of a site's network; the peer has stopped being useful.</summary>
    private static readonly TimeSpan DrainLimit = TimeSpan.FromMilliseconds(250);

    /// <summary>Ends the connection from outside its loop, inside a turn: says why to a version 5 client, then stops receiving.</summary>
    /// <param name="explanation">A reason string or server reference to go with it.</param>
    public void Abort(ReasonCode reason, PacketProperties? explanation = null)
    {
        if (_aborted is not null) return;
        _aborted = reason;
        if (Version == ProtocolVersion.V5 && _dispatch is not null)
        {
            Write(new ReasonPacket(PacketType.Disconnect) { Reason = reason, Properties = explanation ?? PacketProperties.Empty });
        }

        _saidGoodbye = true;
        _broker.Core.Current!.Call(Close);
    }

    private void Leave(ReasonCode reason)
    {
        _buffer.Release();
        if (_dispatch is not { } dispatch) return;
        using var turn = _broker.Core.Enter();
        _broker.Core.Disconnect(dispatch.Session, dispatch.Link, _aborted ?? reason, turn);
    }

    /// <summary>
    /// Reads on for a moment after saying why: closing with unread bytes would reset the connection, and the peer would not see the reason.
    /// </summary>
    private async Task DrainAsync()
    {
        var rest = _broker.Options.Limits.OutboundBytesMax;
        using var limit = new CancellationTokenSource(DrainLimit, _broker.Options.TimeProvider);
        try
        {
            await _writer.WhenSent().WaitAsync(limit.Token);
            await _wire.ShutdownAsync(SocketShutdown.Send).AsTask().WaitAsync(limit.Token);
            while (rest > 0)
            {
                var received = await _wire.ReceiveAsync(_buffer.Prepare(0), limit.Token);
                if (received == 0) return;
                rest -= received;
            }
        }
        catch (Exception gone) when (Wire.IsGone(gone) || gone is OperationCanceledException)
        {
            MqttLog.ConnectionBroke(_broker.Logger, RemoteAddress, gone.Message);
        }
        finally
        {
            _buffer.Release();
        }
    }

    private async void Close()
    {
        Resume();
        await CloseAsync();
    }

    /// <summary>Lets the last bytes out, then closes. A peer that does not take them loses them after a limit.</summary>
    private async Task CloseAsync()
    {
        try
        {
            await _writer.WhenSent().WaitAsync(_broker.Options.Limits.CloseTimeout, _broker.Options.TimeProvider);
            await _wire.ShutdownAsync(SocketShutdown.Both).AsTask().WaitAsync(_broker.Options.Limits.CloseTimeout, _broker.Options.TimeProvider);
        }
        catch (Exception gone) when (Wire.IsGone(gone) || gone is TimeoutException)
        {
            if (gone is TimeoutException) _broker.Core.Counters.Hit(BrokerLimit.CloseTimeout);
            MqttLog.ConnectionBroke(_broker.Logger, RemoteAddress, gone.Message);
        }

        _wire.Dispose();
    }
}
