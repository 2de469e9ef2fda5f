namespace EdgeFirmware.Contracts.Messaging;

/// <summary>Messages kept in order, across restarts and power cuts, until they are dealt with. Changed inside <see cref="INodeBroker.InOneStep"/> only.
/// Messages at QoS 0 get a number and are not kept.</summary>
public interface IMessageStore
{
    /// <summary>Tells it from every other store; its numbers are unique in it for ever.</summary>
    Guid Stream { get; }

    /// <summary>The highest number that may have been given so far.</summary>
    long Last { get; }

    /// <summary>What is kept, in order, by number.</summary>
    IReadOnlyList<KeyValuePair<long, SensorMessage>> Kept { get; }

    /// <summary>Adds a message; its sender is told when it is on disk.</summary>
    /// <param name="kept">Called then, from any thread and without locks; never at QoS 0.</param>
    /// <returns>Its number, higher than any before.</returns>
    long Put(SensorMessage message, Action kept);

    /// <summary>Takes a message out; nothing happens when it is not there.</summary>
    void Remove(long number);
}
