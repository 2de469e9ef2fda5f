using System.Net;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Mesh.Membership;
using EdgeFirmware.Mesh.Wire;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Mesh.Shell;

/// <summary>Sealed gossip over a datagram socket. Sending and opening belong to the mesh loop; only receiving runs beside it.</summary>
public sealed class GossipPort(IDatagramSocket socket, IReadOnlyList<IPEndPoint> multicastGroups, DatagramSeal seal, ILogger log) : IDisposable
{
    private readonly DatagramSeal _seal = seal;
    private readonly byte[] _plain = new byte[4096];
    private readonly byte[] _sealed = new byte[4096];
    private long _genuine, _malformed, _forged, _replayed, _sent;

    /// <param name="siteKey">The one key of the lab profile.</param>
    public GossipPort(IDatagramSocket socket, IReadOnlyList<IPEndPoint> multicastGroups, byte[] siteKey, ILogger log)
        : this(socket, multicastGroups, new DatagramSeal(siteKey), log)
    {
    }

    /// <summary>Where the last datagram that was dropped said it came from; anybody can say that.</summary>
    public IPEndPoint? LastDroppedFrom { get; private set; }

    /// <summary>Told where a datagram came from that is under a key not held here. Must be quick.</summary>
    public Action<IPEndPoint>? Strange { get; set; }

    public DatagramCounts Counts => new(_genuine, _malformed, _forged, _replayed, _sent);

    public void Send(Outgoing outgoing)
    {
        var message = outgoing.Message;
        var length = GossipWriter.Write(message, _plain);
        var size = _seal.Seal(_plain.AsSpan(0, length), _sealed);
        _sent++;
        if (outgoing.To is { } to)
            socket.Send(_sealed.AsSpan(0, size), to);
        else
            foreach (var group in multicastGroups)
                socket.Send(_sealed.AsSpan(0, size), group);
    }

    /// <returns><c>null</c> for what is not from this site, was seen before, or is no message.</returns>
    public GossipMessage? Open(ReadOnlySpan<byte> datagram, IPEndPoint from)
    {
        var outcome = _seal.Open(datagram, _plain, out var length);
        var message = outcome == OpenOutcome.Genuine ? GossipReader.Read(_plain.AsSpan(0, length)) : null;
        if (message is not null)
        {
            _genuine++;
            return message;
        }
        Count(outcome, from);
        if (outcome == OpenOutcome.UnknownKey)
            Strange?.Invoke(from);
        return null;
    }

    /// <summary>Called, on any thread, with addresses where nobody listens.</summary>
    public Action<IPEndPoint>? Refused { set => socket.Refused = value; }

    /// <inheritdoc cref="DatagramSeal.Use"/>
    public void UseKeys(IReadOnlyList<GossipKey> keys, uint sendWith) => _seal.Use(keys, sendWith);

    public async Task ReceiveAsync(Action<byte[], IPEndPoint> came, CancellationToken cancel)
    {
        var buffer = new byte[2048];
        try
        {
            while (!cancel.IsCancellationRequested)
            {
                var (length, from) = await socket.ReceiveAsync(buffer, cancel);
                came(buffer.AsSpan(0, length).ToArray(), from);
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // stopping
        }
    }

    public void Dispose() => _seal.Dispose();

    private void Count(OpenOutcome outcome, IPEndPoint from)
    {
        LastDroppedFrom = from;
        var count = outcome switch
        {
            OpenOutcome.Forged or OpenOutcome.UnknownKey => ++_forged,
            OpenOutcome.Replayed => ++_replayed,
            _ => ++_malformed,
        };
        // The first and then every thousandth: a flood must not fill the log.
        if (count % 1000 == 1)
            MeshLog.DatagramDropped(log, from, outcome switch
            {
                OpenOutcome.Forged => "not made with this site's key",
                OpenOutcome.UnknownKey => "under a gossip key that this node does not hold",
                _ => outcome.ToString(),
            });
    }
}
