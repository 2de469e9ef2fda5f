using System.Net;

namespace EdgeFirmware.Contracts.Peers;

/// <summary>What a conversation between two nodes is about; the first byte on the wire.</summary>
public enum ConversationKind : byte
{
    /// <summary>Negotiation and records, one frame a message, sender to receiver only.</summary>
    Control = 1,

    /// <summary>Image, configuration and volumes of one workload.</summary>
    Transfer = 2,

    /// <summary>Inputs to the node that runs a workload, results and acknowledgements back.</summary>
    Custody = 3,

    /// <summary>Gossip to a member that datagrams do not reach: one frame a message, answers back.</summary>
    Gossip = 4,

    /// <summary>What a site's nodes keep in step: certificates, revocations, gossip keys, time; renewal of certificates.</summary>
    Site = 5,

    /// <summary>A machine that is not of the site yet shows its token; the only kind that one without a certificate may open.</summary>
    Enrolment = 6,
}

/// <summary>Authenticated, encrypted, ordered conversations with other nodes of the site.</summary>
public interface IPeerNetwork
{
    /// <exception cref="PeerException">The peer is not known, cannot be reached, or does not hold the site's key.</exception>
    Task<IPeerConversation> OpenAsync(NodeId peer, ConversationKind kind, CancellationToken cancel);
}

/// <summary>Conversations of a site's own business, with nodes of which perhaps only the address is known.</summary>
public interface ISitePeers
{
    /// <param name="peer">Who it has to be; <c>null</c> for any node of the site.</param>
    /// <exception cref="PeerException">It cannot be reached, is another, or is not of this site.</exception>
    Task<IPeerConversation> OpenAsync(NodeId? peer, IPEndPoint address, ConversationKind kind, CancellationToken cancel);

    /// <summary>Ends conversations with peers that would be refused now.</summary>
    void JudgeAgain();
}

/// <summary>One conversation: framed both ways. Not for concurrent senders or concurrent receivers.</summary>
public interface IPeerConversation : IAsyncDisposable
{
    /// <summary>Who the other side says it is.</summary>
    NodeId Peer { get; }

    ConversationKind Kind { get; }

    /// <summary>The peer's certificate has expired: it may be told of the site and renew, and nothing else.</summary>
    bool MayOnlyRenew => false;

    /// <summary>DER; empty for a peer that showed none.</summary>
    byte[] PeerCertificate => [];

    /// <summary>Bytes of frames sent so far, framing included, TLS not.</summary>
    long BytesSent { get; }

    /// <param name="body">At most <see cref="PeerFrame.BodyBytesMax"/>.</param>
    /// <exception cref="PeerException">The peer is gone.</exception>
    ValueTask SendAsync(byte type, ReadOnlyMemory<byte> body, CancellationToken cancel);

    /// <returns><c>null</c> at the orderly end.</returns>
    /// <exception cref="PeerException">The peer is gone, or sent what is no frame.</exception>
    ValueTask<PeerFrame?> ReceiveAsync(CancellationToken cancel);
}

/// <param name="Body">Valid until the next receive.</param>
public readonly record struct PeerFrame(byte Type, ReadOnlyMemory<byte> Body)
{
    /// <summary>A sensor message of the largest size with its properties, or the results of one.</summary>
    public const int BodyBytesMax = 4 << 20;
}

/// <summary>A peer cannot be reached, is not of this site, or breaks the protocol.</summary>
public sealed class PeerException : Exception
{
    public PeerException(string message, Exception? inner = null) : base(message, inner)
    {
    }
}

/// <summary>Datagrams for gossip.</summary>
public interface IDatagramSocket : IDisposable
{
    IPEndPoint LocalEndpoint { get; }

    /// <summary>Called, on any thread, when a machine says that nobody listens at an address this socket has sent to.</summary>
    Action<IPEndPoint>? Refused { get; set; }

    /// <summary>Best effort: a datagram that cannot be sent is lost, as on the wire.</summary>
    void Send(ReadOnlySpan<byte> datagram, IPEndPoint to);

    /// <returns>Bytes received and the sender.</returns>
    ValueTask<(int Length, IPEndPoint From)> ReceiveAsync(Memory<byte> buffer, CancellationToken cancel);
}
