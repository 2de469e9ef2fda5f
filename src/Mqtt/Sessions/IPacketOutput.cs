using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Sessions;

/// <summary>Where a session's packets go: a connection's writer, or a buffer in a test. Never blocks.</summary>
internal interface IPacketOutput
{
    /// <summary>Encoded and not yet taken by the kernel.</summary>
    int UnsentBytes { get; }

    /// <summary>As <see cref="TryWrite"/>, where nothing can be done about it.</summary>
    void Write(Packet packet);

    /// <summary>False, and nothing written, when the packet is larger than the peer takes.</summary>
    bool TryWrite(Packet packet);

    void WriteAck(PacketType type, ushort packetId, ReasonCode reason);

    /// <summary>False, and nothing written, when the packet would exceed <paramref name="packetBytesMax"/>.</summary>
    bool TryWritePublish(in OutgoingPublish publish, uint packetBytesMax);

    /// <summary>What is written from here on waits until everything journalled so far is on disk.</summary>
    void AwaitCommit();

    /// <summary>Asks for a call of the session's pump once the bytes are gone. False: they are gone already.</summary>
    bool NotifyWhenSent();

    /// <summary>Sends what was written; call it without locks.</summary>
    void Flush();

    /// <summary>Ends the connection for a reason that did not come from its peer.</summary>
    /// <param name="explanation">What else the peer is told, as far as its version has words for it.</param>
    void Abort(ReasonCode reason, PacketProperties? explanation = null);
}
