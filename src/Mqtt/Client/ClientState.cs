using System.Threading.Channels;
using EdgeFirmware.Mqtt.Authentication;
using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Durability;
using EdgeFirmware.Mqtt.Packets;
using EdgeFirmware.Mqtt.Sessions;

namespace EdgeFirmware.Mqtt.Client;

/// <summary>
/// A client's session behind one lock: the same windows as on the broker's side of a session, and the journal that keeps them. Change it with
/// <see cref="Do"/>, which also sends and calls back; everything else expects to run inside that.
/// </summary>
internal sealed class ClientState : IJournalOwner
{
    /// <summary>Ids above it are for SUBSCRIBE and UNSUBSCRIBE, so the two never meet.</summary>
    private const ushort PublishIdMax = 0xEFFF;

    private readonly MqttClient _client;
    private readonly MqttClientOptions _options;
    private readonly long _startedAt;
    private readonly AliasTable _noAliases = new(0);
    private AliasTable _aliases;
    private TaskCompletionSource? _reauthentication;
    private ClientJournal? _journal;
    private bool _appended;

    public ClientState(MqttClient client, MqttClientOptions options)
    {
        _client = client;
        _options = options;
        _startedAt = options.TimeProvider.GetTimestamp();
        _aliases = _noAliases;
        var limits = new BrokerLimits
        {
            // The queue's entrance has the bound.
            QueuedMessagesMax = int.MaxValue,
            QueuedBytesMax = long.MaxValue,
            InFlightMax = PublishIdMax / 2,
            ReceiveMax = options.Version == ProtocolVersion.V5 ? options.ReceiveMaximum : ushort.MaxValue,
        };
        Queue = new PublishQueue(options, limits, PublishIdMax);
        Inbound = new Inbound(limits);
    }

    public Lock Gate { get; } = new();

    /// <summary>Time since the client was made, on a clock that never jumps.</summary>
    public TimeSpan Now => _options.TimeProvider.GetElapsedTime(_startedAt);

    public long RetainedBytes => 0;

    public PublishQueue Queue { get; }

    public Outbound Outbound => Queue.Outbound;

    public Inbound Inbound { get; }

    public ClientRequests Requests { get; } = new(PublishIdMax);

    /// <summary>Null while there is no connection.</summary>
    public SessionLink? Link { get; private set; }

    /// <summary>The last one there was.</summary>
    public ClientConnection? Connection { get; private set; }

    /// <summary>No connection will come any more.</summary>
    public bool IsEnded { get; private set; }

    public List<Settlement> Settled { get; } = [];

    public Channel<ReceivedMessage> Incoming { get; } = Channel.CreateUnbounded<ReceivedMessage>();

    /// <summary>They see what comes before the reader does.</summary>
    public List<Interception> Interceptions { get; } = [];

    /// <summary>Changes the state under the lock, then sends and calls back without it.</summary>
    public void Do(Action change)
    {
        Settlement[] settled;
        ClientConnection? connection;
        bool appended;
        lock (Gate)
        {
            change();
            if (!IsEnded) Queue.Advance(Link, Now, Settled);
            connection = Connection;
            appended = _appended;
            _appended = false;
            settled = Settled.Count == 0 ? [] : [.. Settled];
            Settled.Clear();
        }

        if (appended) _journal!.Wake();
        connection?.Flush();
        foreach (var (callback, outcome) in settled) callback(outcome);
    }

    /// <summary>Keeps the session from here on, with what was kept before already in it.</summary>
    public void Keep(ClientJournal journal)
    {
        _journal = journal;
        Queue.Journal = journal.Journal;
        Outbound.Journal = Inbound.Journal = journal.Session;
    }

    public void OnAppended() => _appended = true;

    public void CaptureTo(List<JournalEntry> entries) => _journal!.CaptureTo(entries);

    public void Attach(ClientConnection connection, ConnAckPacket answer)
    {
        var properties = answer.Properties;
        Connection = connection;
        connection.Journal = Queue.Journal;
        Link = new SessionLink(connection, _options.Version)
        {
            ReceiveMaximum = properties.ReceiveMaximum ?? ushort.MaxValue,
            PacketBytesMax = properties.MaximumPacketBytes ?? uint.MaxValue,
            TopicAliasMax = Math.Min(properties.TopicAliasMaximum ?? 0, _options.OwnTopicAliasMaximum),
        };
        connection.SendBytesMax = Link.PacketBytesMax;
        _aliases = new AliasTable(_options.TopicAliasMaximum);
        Queue.Learn(properties);
        if (!answer.SessionPresent)
        {
            Inbound.Clear();
            Outbound.Restart(Settled);
        }

        Requests.Attach(Link, answer.SessionPresent);
        Outbound.Attach(Link, Now, Settled);
    }

    public void Detach(MqttException cause)
    {
        Link = null;
        Inbound.Detach();
        Requests.Detach();
        _reauthentication?.TrySetException(cause);
        _reauthentication = null;
    }

    public void End(MqttException cause)
    {
        IsEnded = true;
        Detach(cause);
        Inbound.Journal = null;
        Queue.End(cause, Settled);
        Requests.End(cause);
        Incoming.Writer.TryComplete();
    }

    /// <summary>Completes when both sides are convinced.</summary>
    public Task Reauthenticate()
    {
        if (Link is null) throw new MqttException("Not connected.");
        if (_options.Authentication is not { } authentication) throw new InvalidOperationException("There is no authentication method.");
        if (_reauthentication is not null) throw new InvalidOperationException("A re-authentication is going on.");
        _reauthentication = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Link.Output.Write(ClientHandshake.Auth(ReasonCode.ReAuthenticate, authentication.Method, authentication.Start()));
        return _reauthentication.Task;
    }

    /// <summary>Applies a packet. The result says why the connection must end, Success that it goes on.</summary>
    public ReasonCode Handle(Packet packet)
    {
        switch (packet)
        {
            case PublishPacket publish:
                return Receive(publish);
            case AckPacket ack:
                Handle(ack);
                Outbound.Pump(Link!, Now, Settled);
                return ReasonCode.Success;
            case SubAckPacket ack:
                return Requests.Answer(ack);
            case PingPacket { Type: PacketType.PingResp }:
                return ReasonCode.Success;
            case ReasonPacket { Type: PacketType.Auth } auth when _reauthentication is not null:
                return Handle(auth, _options.Authentication!);
            case ReasonPacket { Type: PacketType.Disconnect } disconnect:
                return disconnect.Reason == ReasonCode.Success ? ReasonCode.UnspecifiedError : disconnect.Reason;
            default:
                return ReasonCode.ProtocolError;
        }
    }

    private ReasonCode Handle(ReasonPacket auth, IClientAuthentication authentication)
    {
        if (auth.Properties.AuthenticationMethod != authentication.Method) return ReasonCode.ProtocolError;
        var data = auth.Properties.AuthenticationData;
        switch (auth.Reason)
        {
            case ReasonCode.ContinueAuthentication when authentication.Respond(data) is { } response:
                Link!.Output.Write(ClientHandshake.Auth(ReasonCode.ContinueAuthentication, authentication.Method, response));
                return ReasonCode.Success;
            case ReasonCode.Success when authentication.Verify(data):
                _reauthentication!.TrySetResult();
                _reauthentication = null;
                return ReasonCode.Success;
            default:
                return ReasonCode.NotAuthorized;
        }
    }

    private ReasonCode Receive(PublishPacket publish)
    {
        var failure = _aliases.Resolve(ref publish);
        if (failure != ReasonCode.Success) return failure;
        var message = publish.Message;
        switch (Inbound.Admit(publish.PacketId, message.QoS))
        {
            case Admission.TooMany:
                return ReasonCode.ReceiveMaximumExceeded;
            case Admission.Duplicate:
                Inbound.Repeat(publish.PacketId, Link!);
                return ReasonCode.Success;
        }

        if (Interceptions.Exists(interception => interception.TryTake(message)))
        {
            Inbound.Acknowledge(publish.PacketId, message.QoS, ReasonCode.Success, Link!);
            return ReasonCode.Success;
        }

        if (message.QoS == QoS.AtMostOnce && Incoming.Reader.Count >= _options.UnreadMax) return ReasonCode.Success;
        Incoming.Writer.TryWrite(new ReceivedMessage(_client, message, publish.Duplicate, publish.Properties.SubscriptionIds ?? [])
        {
            Pending = message.QoS == QoS.AtMostOnce ? null : Inbound.Defer(publish.PacketId, message.QoS),
        });
        return ReasonCode.Success;
    }

    private void Handle(AckPacket ack)
    {
        switch (ack.Type)
        {
            case PacketType.PubAck:
                Outbound.Acknowledge(ack.PacketId, QoS.AtLeastOnce, ack.Reason, Settled);
                break;
            case PacketType.PubRec when !Outbound.Receive(ack.PacketId, ack.Reason, Link!, Settled) && !ack.Reason.IsFailure():
                Link!.Output.WriteAck(PacketType.PubRel, ack.PacketId, ReasonCode.PacketIdentifierNotFound);
                break;
            case PacketType.PubRel:
                Link!.Output.WriteAck(PacketType.PubComp, ack.PacketId, Inbound.Release(ack.PacketId));
                break;
            case PacketType.PubComp:
                Outbound.Acknowledge(ack.PacketId, QoS.ExactlyOnce, ReasonCode.Success, Settled);
                break;
        }
    }
}
