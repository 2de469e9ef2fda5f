using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Overlay.Sealing;

namespace EdgeFirmware.Overlay.Tests.Sealing;

/// <summary>Two nodes and the three datagrams between them, kept to be sent again, changed or swapped.</summary>
internal sealed class Handshake : IDisposable
{
    public const ushort InitiatorIndex = 0x0102;
    public const ushort ResponderIndex = 0xfffe;

    private readonly HandshakeResponder? _responder;
    private readonly string _refusal;

    /// <summary>Up to the second datagram.</summary>
    public Handshake(NodeId initiator, IPeerTrust initiatorTrust, NodeId responder, IPeerTrust responderTrust, NodeId? expected = null)
    {
        Initiator = new HandshakeInitiator(initiator, initiatorTrust, InitiatorIndex, expected);
        First = Initiator.First.ToArray();
        _responder = HandshakeResponder.TryAnswer(responder, responderTrust, ResponderIndex, First, out _refusal);
        Second = _responder?.Second.ToArray() ?? [];
    }

    public Handshake(SmallSite.Member initiator, SmallSite.Member responder, NodeId? expected = null)
        : this(initiator.Node, initiator, responder.Node, responder, expected)
    {
    }

    public HandshakeInitiator Initiator { get; }

    public HandshakeResponder Responder => _responder ?? throw new InvalidOperationException(_refusal);

    public byte[] First { get; }

    public byte[] Second { get; }

    /// <summary>After <see cref="Initiator"/> has taken the second one.</summary>
    public byte[] Third => Initiator.Third.ToArray();

    /// <summary>Runs what is left of it.</summary>
    public (SealedSession Initiators, SealedSession Responders) Complete()
    {
        var atInitiator = Initiator.Handle(Second);
        Assert.Equal("", atInitiator.Why);
        var atResponder = Responder.Handle(atInitiator.Answer.Span);
        Assert.Equal("", atResponder.Why);
        return (atInitiator.Session!, atResponder.Session!);
    }

    public void Dispose()
    {
        Initiator.Dispose();
        _responder?.Dispose();
    }
}
