using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Durability;
using EdgeFirmware.Mqtt.Sessions;

namespace EdgeFirmware.Mqtt.Client;

/// <summary>
/// Keeps a client's session in a directory, in the format of the broker's journal: what waits to be sent, under which packet ids it is in
/// flight, and which QoS 2 ids of the broker are taken.
/// </summary>
internal sealed class ClientJournal : IAsyncDisposable
{
    private readonly ClientState _state;
    private readonly SessionTermsEntry _terms;
    private readonly JournalWriter _writer;
    private readonly ITimer _tick;

    private ClientJournal(MqttClientOptions options, ClientState state, JournalFiles files, Replay replay, Action<Exception> bug)
    {
        _state = state;
        _terms = new SessionTermsEntry(options.ClientId, string.Empty, options.Version, options.KeptSessionExpirySeconds, null);
        Journal = new Journal(options.Durability!, state, options.TimeProvider);
        Journal.StartAfter(replay.LastId, replay.LastSession);
        var kept = replay.Sessions.Values.FirstOrDefault();
        Session = kept is null ? Journal.NewSession() : Journal.Resume(kept.Id);
        kept?.RestoreTo(state.Inbound, state.Outbound, Journal, state.Now, message => outcome => Report(options, message, outcome));
        _writer = new JournalWriter(Journal, files, options.Logger, bug);
        Journal.Writer = _writer;
        state.Keep(this);
        if (kept is null) Session.Opened(_terms);
        var second = TimeSpan.FromSeconds(1);
        // Whoever waits for room on the disk is looked at again.
        _tick = options.TimeProvider.CreateTimer(_ => Tick(), null, second, second);
    }

    public Journal Journal { get; }

    public SessionJournal Session { get; }

    public long DiskBytes => _writer.Files.DiskBytes;

    /// <exception cref="MqttException">The directory cannot be used, or another process uses it.</exception>
    public static ClientJournal Open(MqttClientOptions options, ClientState state, Action<Exception> bug)
    {
        try
        {
            var (files, replay) = JournalStart.Load(options.Durability!, options.Logger);
            ClientJournal? opened = null;
            state.Do(() => opened = new ClientJournal(options, state, files, replay, bug));
            return opened!;
        }
        catch (Exception unusable) when (unusable is IOException or UnauthorizedAccessException)
        {
            throw new MqttException($"{options.Durability!.Directory} cannot keep messages: {unusable.Message}", unusable);
        }
    }

    public void Wake() => Journal.Wake();

    public void CaptureTo(List<JournalEntry> entries)
    {
        Session.Capture(_terms, _state.Inbound, _state.Outbound, entries);
    }

    /// <summary>Writes what was promised and closes the files.</summary>
    public async ValueTask DisposeAsync()
    {
        await _tick.DisposeAsync();
        await _writer.StopAsync();
    }

    /// <summary>Whoever published it is gone, so only the log is left to tell.</summary>
    private static void Report(MqttClientOptions options, OutboundMessage message, DeliveryOutcome outcome)
    {
        if (outcome is DeliveryOutcome.Refused or DeliveryOutcome.Dropped)
            MqttLog.ClientMessageLost(options.Logger, message.Message.Topic, Publication.ReasonOf(message, outcome));
    }

    private void Tick()
    {
        _writer.Tick();
        _state.Do(static () => { });
    }
}
