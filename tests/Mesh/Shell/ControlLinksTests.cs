using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Mesh.Negotiation;
using EdgeFirmware.Mesh.Shell;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeFirmware.Mesh.Tests.Shell;

public sealed class ControlLinksTests : IDisposable
{
    private static readonly NodeId Peer = Samples.Node(2);

    private readonly ClosingNetwork _network = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly ControlLinks _links;

    public ControlLinksTests() => _links = new ControlLinks(_network, TimeProvider.System, NullLogger.Instance, _stopping.Token);

    public void Dispose()
    {
        _stopping.Cancel();
        _stopping.Dispose();
    }

    [Fact]
    public async Task What_waits_when_the_peer_closes_goes_over_the_next_conversation_in_order()
    {
        _network.FramesAConversation = 2;
        var said = Say(7);
        await ArrivedAsync(7);
        Assert.Equal(said, _network.Leases);
        Assert.Equal(4, _network.Opened);
    }

    [Fact]
    public async Task A_message_whose_write_fails_is_said_again()
    {
        _network.FramesAConversation = 2;
        _network.IsRude = true;
        var said = Say(5);
        await ArrivedAsync(5);
        Assert.Equal(said, _network.Leases);
    }

    [Fact]
    public async Task A_peer_that_only_closes_costs_its_messages_and_not_the_next()
    {
        _network.FramesAConversation = 0;
        Say(3);
        await _network.Closed.Task.WaitAsync(TimeSpan.FromSeconds(10));
        _network.FramesAConversation = 10;
        var last = Guid.Empty;
        // What is said to a link that is just ending is lost without a sign.
        for (var tries = 0; !_network.Leases.Contains(last) && tries < 1000; tries++)
        {
            last = Say(1)[0];
            await _network.Happened.WaitAsync(TimeSpan.FromMilliseconds(10));
        }
        Assert.Contains(last, _network.Leases);
        Assert.InRange(_network.Opened, 2, 5);
    }

    [Fact]
    public async Task A_conversation_that_is_prepared_is_open_when_there_is_something_to_say()
    {
        _network.FramesAConversation = 10;
        _links.Prepare(Peer);
        await ReachedAsync(() => _network.Opened == 1);
        _links.Prepare(Peer);
        var said = Say(2);
        await ArrivedAsync(2);
        Assert.Equal(said, _network.Leases);
        Assert.Equal(1, _network.Opened);
    }

    [Theory]
    [InlineData(1, "{\"kind\":")]
    [InlineData(1, "null")]
    [InlineData(9, "{}")]
    public async Task What_is_no_message_is_told_and_ends_the_conversation(byte type, string body)
    {
        var told = new List<(NodeId From, string Why)>();
        var speaker = new Speaker(new PeerFrame(type, Encoding.UTF8.GetBytes(body)));
        await Assert.ThrowsAsync<PeerException>(() => ControlLinks.ServeAsync(
            speaker, (_, _) => throw new InvalidOperationException("it was taken for a message"),
            (why, from) =>
            {
                told.Add((from, why));
                return ValueTask.CompletedTask;
            }, default));
        Assert.Equal(Peer, Assert.Single(told).From);
        Assert.StartsWith("sent ", told[0].Why, StringComparison.Ordinal);
    }

    private List<Guid> Say(int count)
    {
        var leases = Enumerable.Range(0, count).Select(_ => Guid.NewGuid()).ToList();
        foreach (var lease in leases)
            _links.Send(Peer, new Cancel(lease));
        return leases;
    }

    private Task ArrivedAsync(int count) => ReachedAsync(() => _network.Leases.Count >= count);

    private async Task ReachedAsync(Func<bool> isReached)
    {
        while (!isReached())
            if (!await _network.Happened.WaitAsync(TimeSpan.FromSeconds(10)))
                return; // what the test asserts next says what is missing
    }

    /// <summary>A peer that says one thing.</summary>
    private sealed class Speaker(PeerFrame frame) : IPeerConversation
    {
        public NodeId Peer => ControlLinksTests.Peer;

        public ConversationKind Kind => ConversationKind.Control;

        public long BytesSent => 0;

        public ValueTask SendAsync(byte type, ReadOnlyMemory<byte> body, CancellationToken cancel) => throw new InvalidOperationException("it is not answered");

        public ValueTask<PeerFrame?> ReceiveAsync(CancellationToken cancel) => ValueTask.FromResult<PeerFrame?>(frame);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    /// <summary>A peer that closes each conversation after some frames.</summary>
    private sealed class ClosingNetwork : IPeerNetwork
    {
        private int _opened;

        public int FramesAConversation { get; set; }

        /// <summary>It does not say that it closes: the next write fails.</summary>
        public bool IsRude { get; set; }

        public int Opened => _opened;

        /// <summary>Released when a conversation is opened and when a message has arrived.</summary>
        public SemaphoreSlim Happened { get; } = new(0);

        public ConcurrentQueue<Guid> Leases { get; } = [];

        public TaskCompletionSource Closed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async Task<IPeerConversation> OpenAsync(NodeId peer, ConversationKind kind, CancellationToken cancel)
        {
            await Task.Yield();
            Interlocked.Increment(ref _opened);
            Happened.Release();
            return new Conversation(this);
        }

        private sealed class Conversation : IPeerConversation
        {
            private readonly ClosingNetwork _network;
            private readonly TaskCompletionSource _closed = new();
            private int _left;

            public Conversation(ClosingNetwork network)
            {
                _network = network;
                _left = network.FramesAConversation;
                CloseIfFull();
            }

            public NodeId Peer => ControlLinksTests.Peer;

            public ConversationKind Kind => ConversationKind.Control;

            public long BytesSent => 0;

            public ValueTask SendAsync(byte type, ReadOnlyMemory<byte> body, CancellationToken cancel)
            {
                if (_left-- <= 0)
                    throw new PeerException("it has closed");
                _network.Leases.Enqueue(JsonSerializer.Deserialize(body.Span, MeshJson.Default.PeerMessage) is Cancel { Lease: var lease } ? lease : default);
                _network.Happened.Release();
                CloseIfFull();
                return ValueTask.CompletedTask;
            }

            public async ValueTask<PeerFrame?> ReceiveAsync(CancellationToken cancel)
            {
                await _closed.Task.WaitAsync(cancel);
                return null;
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;

            private void CloseIfFull()
            {
                if (_left > 0)
                    return;
                if (!_network.IsRude)
                    _closed.TrySetResult();
                _network.Closed.TrySetResult();
            }
        }
    }
}
