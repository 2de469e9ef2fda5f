namespace EdgeFirmware.Mqtt.Bridge;

/// <summary>A conversation over an <see cref="IBridgeCarrier"/>. What is posted in a lane arrives in that order and once, or never: when one message is lost
/// the conversation is over, and all after it are lost too. Thread safe.</summary>
public interface IBridgeConversation
{
    /// <summary>Lanes are 0 to 2; the lowest is the most urgent.</summary>
    const int Lanes = 3;

    /// <summary>Posts a message; never blocks.</summary>
    /// <param name="ended">Called once, from any thread and without locks: whether the other broker has taken it for good. Those of a lane in order.</param>
    void Post(byte lane, ReadOnlyMemory<byte> body, Action<bool> ended);
}
