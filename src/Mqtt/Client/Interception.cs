using EdgeFirmware.Mqtt.Topics;

namespace EdgeFirmware.Mqtt.Client;

/// <summary>Messages that go to a part of the program instead of to the client's reader. Dispose it to end that.</summary>
internal sealed class Interception : IDisposable
{
    private readonly ClientState _state;
    private readonly string _filter;
    private readonly Action<MqttMessage> _take;

    /// <param name="take">Called under the client's lock: it must be cheap and not wait.</param>
    public Interception(MqttClient client, string filter, Action<MqttMessage> take)
    {
        _state = client.State;
        _filter = filter;
        _take = take;
        _state.Do(() => _state.Interceptions.Add(this));
    }

    public bool TryTake(MqttMessage message)
    {
        if (!TopicName.Matches(_filter, message.Topic)) return false;
        _take(message);
        return true;
    }

    public void Dispose() => _state.Do(() => _state.Interceptions.Remove(this));
}
