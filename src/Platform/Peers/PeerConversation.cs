using System.Buffers;
using System.Buffers.Binary;
using System.Net.Security;
using System.Net.Sockets;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Peers;

namespace EdgeFirmware.Platform.Peers;

/// <summary>Frames over TLS: length of the body (4 bytes, big endian), type (1 byte), body.</summary>
/// <param name="shown">The peer's certificate, DER.</param>
internal sealed class PeerConversation(Socket socket, SslStream stream, NodeId peer, ConversationKind kind, TimeProvider time, byte[] shown, PeerAdmission admission)
    : IPeerConversation
{
    /// <summary>For saying goodbye; a peer that lost power takes nothing any more.</summary>
    private static readonly TimeSpan GoodbyePatience = TimeSpan.FromMilliseconds(250);

    private const int HeaderBytes = 5;
    private const int BufferKept = 16 * 1024;

    private readonly byte[] _header = new byte[HeaderBytes];
    private byte[] _body = [];

    public NodeId Peer { get; } = peer;

    public ConversationKind Kind { get; } = kind;

    public long BytesSent { get; private set; }

    public byte[] PeerCertificate { get; } = shown;

    public bool MayOnlyRenew => admission == PeerAdmission.Renewal;

    /// <summary>Called once, when it is over.</summary>
    public Action<PeerConversation>? Ended { get; set; }

    /// <summary>Ends it without a goodbye: reading and writing fail from now on.</summary>
    public void Abandon() => socket.Dispose();

    public async ValueTask SendAsync(byte type, ReadOnlyMemory<byte> body, CancellationToken cancel)
    {
        if (body.Length > PeerFrame.BodyBytesMax)
            throw new ArgumentException($"a frame holds at most {PeerFrame.BodyBytesMax} bytes");
        // One TLS record and one system call for small frames.
        var frame = ArrayPool<byte>.Shared.Rent(HeaderBytes + body.Length);
        try
        {
            BinaryPrimitives.WriteInt32BigEndian(frame, body.Length);
            frame[4] = type;
            body.Span.CopyTo(frame.AsSpan(HeaderBytes));
            await stream.WriteAsync(frame.AsMemory(0, HeaderBytes + body.Length), cancel);
            BytesSent += HeaderBytes + body.Length;
        }
        catch (Exception error) when (IsLoss(error))
        {
            throw Lost(error);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(frame);
        }
    }

    public async ValueTask<PeerFrame?> ReceiveAsync(CancellationToken cancel)
    {
        try
        {
            var first = await stream.ReadAtLeastAsync(_header, HeaderBytes, throwOnEndOfStream: false, cancel);
            if (first == 0)
                return null;
            if (first < HeaderBytes)
                throw new PeerException($"{Peer} ended within a frame");
            var length = BinaryPrimitives.ReadInt32BigEndian(_header);
            if (length is < 0 or > PeerFrame.BodyBytesMax)
                throw new PeerException($"{Peer} announced a frame of {length} bytes");
            if (_body.Length < length || (_body.Length > BufferKept && length <= BufferKept))
                _body = new byte[Math.Max(length, 256)];
            await stream.ReadExactlyAsync(_body.AsMemory(0, length), cancel);
            return new PeerFrame(_header[4], _body.AsMemory(0, length));
        }
        catch (EndOfStreamException error)
        {
            throw new PeerException($"{Peer} ended within a frame", error);
        }
        catch (Exception error) when (IsLoss(error))
        {
            throw Lost(error);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Ended?.Invoke(this);
        try
        {
            await stream.ShutdownAsync().WaitAsync(GoodbyePatience, time);
        }
        catch (Exception error) when (IsLoss(error) || error is TimeoutException)
        {
            // The other side is gone already: there is nobody to say goodbye to.
        }
        socket.Dispose();
        await stream.DisposeAsync();
    }

    internal static bool IsLoss(Exception error) =>
        error is IOException or SocketException or ObjectDisposedException or InvalidOperationException;

    private PeerException Lost(Exception error) => new($"connection to {Peer} lost: {error.Message}", error);
}
