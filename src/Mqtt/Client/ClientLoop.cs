using EdgeFirmware.Mqtt.Packets;
using EdgeFirmware.Mqtt.Transport;

namespace EdgeFirmware.Mqtt.Client;

/// <summary>A client's connections, one after the other: opens them, serves them, notices their end and waits before the next.</summary>
internal sealed class ClientLoop(MqttClientOptions options, ClientState state, CancellationToken stopping)
{
    private readonly BackOff _backOff = new(options.ReconnectDelay, options.ReconnectDelayMax, options.RandomSeed is { } seed ? new Random(seed) : new Random());
    private TaskCompletionSource _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TimeSpan _lastReceivedAt;
    private TimeSpan _keepAlive;

    /// <summary>Given or assigned.</summary>
    public string ClientId { get; private set; } = options.ClientId;

    /// <summary>Completes while there is a connection.</summary>
    public Task Connected => Volatile.Read(ref _connected).Task;

    public async Task<(ConnectResult Result, List<Packet> Behind)> OpenAsync(bool cleanStart, CancellationToken cancellation)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, cancellation);
        var request = ClientHandshake.Request(options, ClientId, cleanStart && options.Durability is null);
        var (connection, answer, behind) = await ClientHandshake.RunAsync(options, request, OnDrained, either.Token);
        ClientId = answer.Properties.AssignedClientId ?? ClientId;
        var result = new ConnectResult(answer.Reason, answer.SessionPresent, ClientId, answer.Properties.ReasonString)
        {
            ServerReference = answer.Properties.ServerReference,
            ResponseInformation = answer.Properties.ResponseInformation,
        };
        if (!result.IsAccepted)
        {
            connection.Dispose();
            return (result, behind);
        }

        state.Do(() =>
        {
            _lastReceivedAt = state.Now;
            _keepAlive = answer.Properties.ServerKeepAliveSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : options.KeepAlive;
            state.Attach(connection, answer);
        });
        _connected.TrySetResult();
        return (result, behind);
    }

    /// <summary>Serves the connection, and the next ones if asked to, until the end. The result says why it ended.</summary>
    /// <param name="behind">What came behind the CONNACK; null when there is no connection yet.</param>
    public async Task<ReasonCode> RunAsync(List<Packet>? behind)
    {
        var lived = TimeSpan.Zero;
        while (true)
        {
            if (behind is not null)
            {
                var since = state.Now;
                var reason = await ServeAsync(state.Connection!, behind);
                lived = state.Now - since;
                Volatile.Write(ref _connected, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
                state.Do(() => state.Detach(new MqttException($"The connection to {options.Server} was lost: {reason}.")));
                if (stopping.IsCancellationRequested || !options.Reconnect) return reason;
            }

            try
            {
                if (behind is not null || lived > TimeSpan.Zero) await Task.Delay(_backOff.Next(lived), options.TimeProvider, stopping);
                lived = TimeSpan.FromTicks(1);
                behind = await TryReopenAsync();
            }
            catch (OperationCanceledException)
            {
                return ReasonCode.Success;
            }
        }
    }

    /// <summary>Null: not this time.</summary>
    private async Task<List<Packet>?> TryReopenAsync()
    {
        try
        {
            // A clean session of MQTT 3.1.1 ended with its connection; another kind would stay behind after the last good-bye.
            var (result, behind) = await OpenAsync(options is { Version: ProtocolVersion.V311, CleanStart: true }, CancellationToken.None);
            if (result.IsAccepted) return behind;
            MqttLog.ClientLostConnection(options.Logger, options.Server.ToString()!, result.Reason.ToString());
        }
        catch (MqttException failure)
        {
            MqttLog.ClientLostConnection(options.Logger, options.Server.ToString()!, failure.Message);
        }

        return null;
    }

    private async Task<ReasonCode> ServeAsync(ClientConnection connection, List<Packet> packets)
    {
        using var ping = _keepAlive > TimeSpan.Zero
            ? options.TimeProvider.CreateTimer(_ => Ping(connection), null, _keepAlive / 2, _keepAlive / 2)
            : null;
        try
        {
            while (true)
            {
                if (Handle(connection, packets) is var reason && reason != ReasonCode.Success) return reason;
                packets = await connection.ReceiveAsync();
                if (packets.Count == 0 && connection.Failure == ReasonCode.Success) return ReasonCode.UnspecifiedError;
            }
        }
        catch (Exception failure) when (Wire.IsGone(failure) || failure is MqttException)
        {
            MqttLog.ClientLostConnection(options.Logger, options.Server.ToString()!, failure.Message);
            return ReasonCode.UnspecifiedError;
        }
        finally
        {
            connection.Dispose();
            connection.Release();
        }
    }

    private ReasonCode Handle(ClientConnection connection, List<Packet> packets)
    {
        var reason = ReasonCode.Success;
        state.Do(() =>
        {
            _lastReceivedAt = state.Now;
            foreach (var packet in packets)
            {
                if (reason != ReasonCode.Success) break;
                reason = state.Handle(packet);
                // The broker went first.
                if (packet is ReasonPacket { Type: PacketType.Disconnect }) return;
            }

            if (reason == ReasonCode.Success) reason = connection.Failure;
            var saysWhy = reason != ReasonCode.Success && options.Version == ProtocolVersion.V5;
            if (saysWhy) connection.Write(new ReasonPacket(PacketType.Disconnect) { Reason = reason });
        });
        return reason;
    }

    /// <summary>Twice in each keep-alive; a broker silent for one and a half is given up.</summary>
    private void Ping(ClientConnection connection)
    {
        var silent = false;
        state.Do(() =>
        {
            silent = state.Now - _lastReceivedAt > 1.5 * _keepAlive;
            if (!silent) connection.Write(PingPacket.Request);
        });
        if (silent) connection.Dispose();
    }

    private void OnDrained() => state.Do(() =>
    {
        if (state.Link is { } link) state.Outbound.Pump(link, state.Now, state.Settled);
    });
}
