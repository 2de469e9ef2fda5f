using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Client;
using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Bridge;

/// <summary>A bridge that connects to the other broker as a client does, for ever, and waits longer after each failure.</summary>
internal sealed class DialledBridge : MqttBridge
{
    private readonly MqttClientOptions _remote;
    private readonly BackOff _backOff;
    private BridgeConnection? _connection;
    private bool _hasSubscribed;
    private bool _saysBridge = true;

    public DialledBridge(MqttBroker broker, BridgeOptions options, MqttClientOptions remote)
        : base(broker, options)
    {
        _remote = remote;
        _backOff = new BackOff(remote.ReconnectDelay, remote.ReconnectDelayMax, remote.RandomSeed is { } given ? new Random(given) : new Random());
        remote.PrepareForBridge(broker);
    }

    private protected override string Address => MqttClientOptions.TextOf(_remote.Server);

    private protected override string? RemoteName => _connection?.RemoteName;

    private protected override async Task ServeAsync()
    {
        while (!Broker.Stopping.IsCancellationRequested)
        {
            var lived = await ConnectAsync();
            await Task.Delay(_backOff.Next(lived), Broker.Options.TimeProvider, Broker.Stopping);
        }
    }

    /// <summary>Connects and serves the connection. The result says how long it lived.</summary>
    private async Task<TimeSpan> ConnectAsync()
    {
        CountAttempt();
        try
        {
            var session = OpenSession();
            var request = ClientHandshake.Request(_remote, _remote.ClientId, cleanStart: false, isBridge: _saysBridge && _remote.Version == ProtocolVersion.V311);
            BridgeConnection? opened = null;
            var (connection, answer, behind) = await ClientHandshake.RunAsync(_remote, request, () => opened?.OnDrained(), Broker.Stopping);
            connection.Journal = Broker.Core.Journal;
            connection.Touched = written => Broker.Core.Current!.Touch(written);
            if (answer.Reason.IsFailure())
            {
                connection.Dispose();
                // Not every broker knows the bit that says so.
                if (answer.Reason == ReasonCode.UnsupportedProtocolVersion) _saysBridge = false;
                throw new MqttException($"refused: {answer.Reason} {answer.Properties.ReasonString}".TrimEnd());
            }

            Check(connection, answer);
            opened = new BridgeConnection(this, _remote, Broker, session, connection, answer);
            return await ServeAsync(opened, answer.SessionPresent, behind);
        }
        catch (MqttException failure)
        {
            Note(failure.Message);
            return TimeSpan.Zero;
        }
    }

    private async Task<TimeSpan> ServeAsync(BridgeConnection connection, bool sessionPresent, List<Packet> behind)
    {
        using (var turn = Broker.Core.Enter())
        {
            _connection = connection;
            Queue.RemoteMark = connection.Mark;
            IsConnected(turn);
        }

        MqttLog.BridgeConnected(Broker.Logger, Name, Address, sessionPresent);
        var subscribe = !_hasSubscribed;
        _hasSubscribed = true;
        using var leave = Broker.Stopping.UnsafeRegister(_ => _ = LeaveAsync(connection), null);
        var end = await connection.RunAsync(sessionPresent, subscribe, behind);
        TimeSpan lived;
        using (var turn = Broker.Core.Enter())
        {
            _connection = null;
            lived = IsDisconnected(turn);
        }

        Note(end);
        return lived;
    }

    private static async Task LeaveAsync(BridgeConnection connection)
    {
        connection.Leave();
        await connection.WhenSent().WaitAsync(TimeSpan.FromSeconds(2)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        connection.Close();
    }

    /// <exception cref="MqttException">Nothing good would come of it.</exception>
    private void Check(ClientConnection connection, ConnAckPacket answer)
    {
        var most = Options.Topics.Where(topic => topic.IsOut).Select(topic => (int)topic.QoS).DefaultIfEmpty(0).Max();
        var fault = answer.Properties.MaximumQoS < most ? $"the other broker takes QoS {answer.Properties.MaximumQoS} at most, and a topic says {most}"
            : BridgeMark.NameIn(answer.Properties.UserProperties) == Broker.Options.Identity ? "the other broker is this one"
            : null;
        if (fault is null) return;
        connection.Dispose();
        throw new MqttException(fault);
    }
}
