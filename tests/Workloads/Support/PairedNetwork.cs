using System.Collections.Concurrent;
using System.Threading.Channels;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Peers;

namespace EdgeFirmware.Workloads.Tests.Support;

internal enum Fate
{
    Pass,

    /// <summary>The connection breaks and the frame is lost.</summary>
    CutBefore,

    /// <summary>The frame arrives, and then the connection breaks.</summary>
    CutAfter,
}

/// <summary>Nodes in one process, joined by conversations in memory that can be cut at any frame.</summary>
internal sealed class PairedNetwork
{
    private readonly ConcurrentDictionary<NodeId, Func<IPeerConversation, CancellationToken, Task>> _servers = [];
    private readonly ConcurrentDictionary<Wire, bool> _open = [];

    /// <summary>Asked for each frame, with its sender.</summary>
    public Func<NodeId, ConversationKind, byte, Fate> Judge { get; set; } = (_, _, _) => Fate.Pass;

    /// <summary>What a served conversation threw that is no answer of the world.</summary>
    public ConcurrentQueue<Exception> Bugs { get; } = [];

    /// <summary>Why conversations ended.</summary>
    public ConcurrentQueue<string> Faults { get; } = [];

    public int Conversations => _open.Count;

    public int Opened { get; private set; }

    public IPeerNetwork Of(NodeId self) => new View(this, self);

    public void Serve(NodeId node, Func<IPeerConversation, CancellationToken, Task> serve) => _servers[node] = serve;

    /// <summary>The node is unplugged: nobody reaches it, and its conversations break.</summary>
    public void Unplug(NodeId node)
    {
        _servers.TryRemove(node, out _);
        Cut(node);
    }

    public void Cut(NodeId node)
    {
        foreach (var wire in _open.Keys.Where(wire => wire.Touches(node)))
            wire.Cut();
    }

    private Task<IPeerConversation> OpenAsync(NodeId from, NodeId to, ConversationKind kind)
    {
        if (!_servers.TryGetValue(to, out var serve))
            return Task.FromException<IPeerConversation>(new PeerException($"{to} cannot be reached"));
        var wire = new Wire(this, from, to, kind);
        _open[wire] = true;
        Opened++;
        _ = ServeAsync(wire, serve);
        return Task.FromResult<IPeerConversation>(wire.Here);
    }

    private async Task ServeAsync(Wire wire, Func<IPeerConversation, CancellationToken, Task> serve)
    {
        try
        {
            await using var conversation = wire.There;
            await serve(conversation, CancellationToken.None);
        }
        catch (PeerException error)
        {
            Faults.Enqueue(error.Message);
        }
        catch (Exception bug)
        {
            Bugs.Enqueue(bug);
        }
    }

    private sealed class View(PairedNetwork network, NodeId self) : IPeerNetwork
    {
        public Task<IPeerConversation> OpenAsync(NodeId peer, ConversationKind kind, CancellationToken cancel) => network.OpenAsync(self, peer, kind);
    }

    private sealed class Wire
    {
        private readonly PairedNetwork _network;
        private readonly NodeId _from;
        private readonly NodeId _to;

        public Wire(PairedNetwork network, NodeId from, NodeId to, ConversationKind kind)
        {
            _network = network;
            _from = from;
            _to = to;
            Kind = kind;
            var (there, back) = (Channel.CreateUnbounded<(byte, byte[])>(), Channel.CreateUnbounded<(byte, byte[])>());
            Here = new End(this, from, to, back.Reader, there.Writer);
            There = new End(this, to, from, there.Reader, back.Writer);
        }

        public ConversationKind Kind { get; }

        public End Here { get; }

        public End There { get; }

        public bool IsCut { get; private set; }

        public bool Touches(NodeId node) => _from == node || _to == node;

        public Fate Judge(NodeId sender, byte type) => _network.Judge(sender, Kind, type);

        public void Cut()
        {
            IsCut = true;
            Here.Break();
            There.Break();
            _network._open.TryRemove(this, out _);
        }

        public void Ended() => _network._open.TryRemove(this, out _);
    }

    private sealed class End(Wire wire, NodeId self, NodeId peer, ChannelReader<(byte, byte[])> reader, ChannelWriter<(byte, byte[])> writer) : IPeerConversation
    {
        public NodeId Peer => peer;

        public ConversationKind Kind => wire.Kind;

        public long BytesSent { get; private set; }

        public ValueTask SendAsync(byte type, ReadOnlyMemory<byte> body, CancellationToken cancel)
        {
            cancel.ThrowIfCancellationRequested();
            if (body.Length > PeerFrame.BodyBytesMax)
                throw new ArgumentException("a frame too large");
            var fate = wire.Judge(self, type);
            if (fate == Fate.CutBefore)
                wire.Cut();
            if (!writer.TryWrite((type, body.ToArray())))
                throw new PeerException("the connection is cut");
            BytesSent += 5 + body.Length;
            if (fate == Fate.CutAfter)
                wire.Cut();
            return ValueTask.CompletedTask;
        }

        public async ValueTask<PeerFrame?> ReceiveAsync(CancellationToken cancel)
        {
            try
            {
                if (!await reader.WaitToReadAsync(cancel) || !reader.TryRead(out var frame))
                    return null;
                return new PeerFrame(frame.Item1, frame.Item2);
            }
            catch (ChannelClosedException error)
            {
                throw new PeerException("the connection is cut", error);
            }
        }

        public void Break() => writer.TryComplete(new PeerException("the connection is cut"));

        public ValueTask DisposeAsync()
        {
            writer.TryComplete();
            wire.Ended();
            return ValueTask.CompletedTask;
        }
    }
}
