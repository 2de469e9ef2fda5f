using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Platform.Peers;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeFirmware.Platform.Tests.Peers;

public sealed class TlsPeerNetworkTests : IAsyncLifetime
{
    private static readonly NodeId Gate = NodeId.Parse("gate/02:00:00:00:00:01");
    private static readonly NodeId Barn = NodeId.Parse("barn/02:00:00:00:00:02");
    private static readonly byte[] SiteKey = Enumerable.Range(0, 32).Select(i => (byte)i).ToArray();
    private static readonly byte[] OtherKey = new byte[32];
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly CancellationTokenSource _limit = new(Patience);
    private readonly List<IAsyncDisposable> _owned = [];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var one in _owned)
            await one.DisposeAsync();
        _limit.Dispose();
    }

    [Fact]
    public async Task Frames_of_every_size_go_both_ways()
    {
        await using var conversation = await OpenAsync(Listen(SiteKey));
        Assert.Equal(Barn, conversation.Peer);
        foreach (var size in new[] { 0, 1, 5_000, 200_000, PeerFrame.BodyBytesMax, 3 })
        {
            var body = new byte[size];
            Random.Shared.NextBytes(body);
            var sending = conversation.SendAsync(7, body, _limit.Token);
            var frame = await conversation.ReceiveAsync(_limit.Token);
            await sending;
            Assert.Equal(7, frame!.Value.Type);
            Assert.True(body.AsSpan().SequenceEqual(frame.Value.Body.Span));
        }
    }

    [Fact]
    public async Task The_server_learns_the_kind_and_who_asks()
    {
        var seen = new TaskCompletionSource<(NodeId, ConversationKind)>();
        var peer = Listen(SiteKey, (conversation, _) =>
        {
            seen.SetResult((conversation.Peer, conversation.Kind));
            return Task.CompletedTask;
        });
        await using var conversation = await OpenAsync(peer, ConversationKind.Custody);
        Assert.Equal((Gate, ConversationKind.Custody), await seen.Task.WaitAsync(Patience));
        Assert.Null(await conversation.ReceiveAsync(_limit.Token)); // it said goodbye
    }

    [Fact]
    public async Task A_node_with_another_site_key_is_refused_and_both_sides_say_why()
    {
        var peer = Listen(OtherKey);
        var error = await Assert.ThrowsAsync<PeerException>(() => OpenAsync(peer));
        Assert.Contains("does not hold this site's key", error.Message, StringComparison.Ordinal);
        Assert.Contains("refused", await peer.Log.WithAsync("conversation from"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_caller_that_does_not_mind_our_key_but_has_none_is_refused_by_the_server()
    {
        var peer = Listen(SiteKey);
        using var socket = new TcpClient();
        await socket.ConnectAsync(peer.Address, _limit.Token);
        await using var stream = new SslStream(socket.GetStream(), leaveInnerStreamOpen: false, (_, shown, _, _) => shown is not null);
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "x", EnabledSslProtocols = SslProtocols.Tls13 }, _limit.Token);
        await peer.Log.WithAsync("does not hold this site's key");
    }

    [Fact]
    public async Task Another_node_at_the_address_is_not_taken_for_the_one_wanted()
    {
        var peer = Listen(SiteKey);
        using var network = Network(peer.Address);
        var error = await Assert.ThrowsAsync<PeerException>(() => network.OpenAsync(Gate, ConversationKind.Control, _limit.Token));
        Assert.Contains("barn/02:00:00:00:00:02, not gate/", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_member_nobody_knows_or_hears_is_a_peer_fault()
    {
        using var nowhere = Network(null);
        await Assert.ThrowsAsync<PeerException>(() => nowhere.OpenAsync(Barn, ConversationKind.Control, _limit.Token));
        using var deaf = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        deaf.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // the port is taken, and nobody listens
        using var network = Network((IPEndPoint)deaf.LocalEndPoint!);
        await Assert.ThrowsAsync<PeerException>(() => network.OpenAsync(Barn, ConversationKind.Control, _limit.Token));
    }

    [Fact]
    public async Task Garbage_in_place_of_TLS_ends_that_connection_only()
    {
        var peer = Listen(SiteKey);
        using (var socket = new TcpClient())
        {
            await socket.ConnectAsync(peer.Address, _limit.Token);
            await socket.GetStream().WriteAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray(), _limit.Token);
            await peer.Log.WithAsync("does not speak TLS");
        }
        await using var conversation = await OpenAsync(peer);
        Assert.False(peer.Accepting.IsCompleted);
    }

    [Fact]
    public async Task A_connection_that_says_nothing_is_given_up()
    {
        var peer = Listen(SiteKey);
        using var socket = new TcpClient();
        await socket.ConnectAsync(peer.Address, _limit.Token);
        Assert.Equal(0, await socket.GetStream().ReadAsync(new byte[1], _limit.Token)); // after the handshake's five seconds
        await peer.Log.WithAsync("no handshake in time");
    }

    [Fact]
    public async Task A_frame_too_large_is_refused_on_both_ends()
    {
        await using var conversation = await OpenAsync(Listen(SiteKey));
        await Assert.ThrowsAsync<ArgumentException>(() => conversation.SendAsync(1, new byte[PeerFrame.BodyBytesMax + 1], _limit.Token).AsTask());

        var fault = new TaskCompletionSource<Exception>();
        var peer = Listen(SiteKey, async (served, cancel) => fault.SetResult(await Assert.ThrowsAsync<PeerException>(() => served.ReceiveAsync(cancel).AsTask())));
        using var raw = await ConnectRawAsync(peer);
        await raw.Stream.WriteAsync(new byte[] { 0x7F, 0xFF, 0xFF, 0xFF, 1 }, _limit.Token);
        Assert.Contains("announced a frame of 2147483647 bytes", (await fault.Task.WaitAsync(Patience)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_peer_that_vanishes_within_a_frame_is_a_fault_and_not_an_end()
    {
        var fault = new TaskCompletionSource<Exception>();
        var peer = Listen(SiteKey, async (served, cancel) => fault.SetResult(await Assert.ThrowsAsync<PeerException>(() => served.ReceiveAsync(cancel).AsTask())));
        using (var raw = await ConnectRawAsync(peer))
        {
            // Its hello shows that the peer has taken ours: gone earlier, nobody would be served.
            await raw.Stream.ReadExactlyAsync(new byte[6], _limit.Token);
            await raw.Stream.WriteAsync(new byte[] { 0, 0, 0, 100, 1, 42 }, _limit.Token);
        }
        Assert.Contains("gate/", (await fault.Task.WaitAsync(Patience)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_first_frame_that_is_no_hello_ends_the_conversation()
    {
        var peer = Listen(SiteKey);
        using var raw = await ConnectRawAsync(peer, hello: [99, 1, 2]);
        await peer.Log.WithAsync("no hello");
    }

    [Fact]
    public async Task Who_is_shut_out_between_its_handshake_and_its_hello_is_not_served()
    {
        using var trust = new TrustOnce(SiteKey);
        var served = 0;
        await using var peer = new ListeningPeer(Barn, trust, (_, _) => Task.FromResult(served++));
        using var raw = await ConnectRawAsync(peer);
        await peer.Log.WithAsync($"{Gate} has been shut out meanwhile");
        Assert.Equal(0, served);
    }

    [Fact]
    public async Task Many_conversations_go_on_at_once()
    {
        var peer = Listen(SiteKey);
        using var network = Network(peer.Address);
        await Task.WhenAll(Enumerable.Range(0, 60).Select(async number =>
        {
            await using var conversation = await network.OpenAsync(Barn, ConversationKind.Control, _limit.Token);
            for (var i = 0; i < 20; i++)
            {
                await conversation.SendAsync((byte)(number + 1), new byte[number * 10], _limit.Token);
                var frame = await conversation.ReceiveAsync(_limit.Token);
                Assert.Equal(((byte)(number + 1), number * 10), (frame!.Value.Type, frame.Value.Body.Length));
            }
        }));
    }

    [Fact]
    public async Task Goodbye_does_not_wait_for_a_peer_that_reads_nothing()
    {
        var hold = new TaskCompletionSource();
        var peer = Listen(SiteKey, (_, _) => hold.Task);
        var conversation = await OpenAsync(peer);
        using var full = new CancellationTokenSource();
        var sending = FillAsync(conversation, full.Token);
        await Task.WhenAny(sending, StallAsync(conversation));
        var watch = Stopwatch.StartNew();
        await conversation.DisposeAsync();
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(5));
        await Assert.ThrowsAsync<PeerException>(() => sending);
        hold.SetResult();
    }

    public static TheoryData<Exception> Bugs => [new NotSupportedException("a bug"), new InvalidOperationException("a bug"), new ObjectDisposedException("a bug")];

    [Theory]
    [MemberData(nameof(Bugs))]
    public async Task A_bug_in_serving_ends_accepting_so_that_the_node_can_end(Exception bug)
    {
        var peer = Listen(SiteKey, (_, _) => throw bug);
        await using var conversation = await OpenAsync(peer);
        Assert.Same(bug, await Assert.ThrowsAnyAsync<Exception>(() => peer.Accepting.WaitAsync(Patience)));
    }

    [Fact]
    public void It_listens_on_an_address_that_is_not_up_yet()
    {
        using var listener = TlsPeerNetwork.Listen(new IPEndPoint(IPAddress.Parse("198.51.100.77"), 0), NullLogger.Instance);
        Assert.NotEqual(0, ((IPEndPoint)listener.LocalEndPoint!).Port);
    }

    [Fact]
    public void It_does_not_share_a_port_with_another_node()
    {
        using var first = TlsPeerNetwork.Listen(new IPEndPoint(IPAddress.Loopback, 0), NullLogger.Instance);
        Assert.Throws<SocketException>(() => TlsPeerNetwork.Listen((IPEndPoint)first.LocalEndPoint!, NullLogger.Instance));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void The_site_s_certificate_is_the_same_on_every_node_and_another_under_another_key(byte fill)
    {
        var key = Enumerable.Repeat(fill, 32).ToArray();
        using var one = SiteCertificate.Create(key);
        using var two = SiteCertificate.Create(key);
        using var other = SiteCertificate.Create(SiteKey);
        Assert.Equal(one.PublicKey.ExportSubjectPublicKeyInfo(), two.PublicKey.ExportSubjectPublicKeyInfo());
        Assert.NotEqual(one.PublicKey.ExportSubjectPublicKeyInfo(), other.PublicKey.ExportSubjectPublicKeyInfo());
    }

    private static async Task FillAsync(IPeerConversation conversation, CancellationToken cancel)
    {
        while (true)
            await conversation.SendAsync(1, new byte[1 << 20], cancel);
    }

    /// <summary>Ends when nothing more goes out.</summary>
    private static async Task StallAsync(IPeerConversation conversation)
    {
        for (var (last, same) = (-1L, 0); same < 10; await Task.Delay(20))
            (last, same) = conversation.BytesSent == last ? (last, same + 1) : (conversation.BytesSent, 0);
    }

    private ListeningPeer Listen(byte[] siteKey, Func<IPeerConversation, CancellationToken, Task>? serve = null)
    {
        var peer = new ListeningPeer(Barn, siteKey, serve);
        _owned.Add(peer);
        return peer;
    }

    private static TlsPeerNetwork Network(IPEndPoint? address) => new(Gate, SiteKey, _ => address, TimeProvider.System, new RecordingLog());

    private async Task<IPeerConversation> OpenAsync(ListeningPeer peer, ConversationKind kind = ConversationKind.Control)
    {
        using var network = Network(peer.Address);
        return await network.OpenAsync(Barn, kind, _limit.Token);
    }

    /// <summary>TLS of this site by hand, to send what our own side never would.</summary>
    private async Task<RawPeer> ConnectRawAsync(ListeningPeer peer, byte[]? hello = null)
    {
        var socket = new TcpClient();
        await socket.ConnectAsync(peer.Address, _limit.Token);
        using var certificate = SiteCertificate.Create(SiteKey);
        var stream = new SslStream(socket.GetStream(), leaveInnerStreamOpen: false, (_, shown, _, _) => shown is not null);
        await stream.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "x", EnabledSslProtocols = SslProtocols.Tls13,
                ClientCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true),
            }, _limit.Token);
        hello ??= [(byte)ConversationKind.Control, .. System.Text.Encoding.ASCII.GetBytes(Gate.Value)];
        await stream.WriteAsync((byte[])[0, 0, 0, (byte)hello.Length, 0, .. hello], _limit.Token);
        return new RawPeer(socket, stream);
    }

    /// <summary>Trusts a key in the handshake, and no more after it.</summary>
    private sealed class TrustOnce(byte[] siteKey) : IPeerTrust, IDisposable
    {
        private readonly LabTrust _lab = new(siteKey);
        private int _judged;

        public X509Certificate2 Own => _lab.Own;

        public bool AdmitsStrangers => false;

        public PeerStanding Judge(byte[] certificate) =>
            Interlocked.Increment(ref _judged) == 1 ? _lab.Judge(certificate) : new PeerStanding(PeerAdmission.Refused, default, "shut out");

        public void Dispose() => _lab.Dispose();
    }

    private sealed record RawPeer(TcpClient Socket, SslStream Stream) : IDisposable
    {
        public void Dispose()
        {
            Socket.Client.LingerState = new LingerOption(true, 0); // a reset, as from a machine that lost power and came back
            Socket.Dispose();
        }
    }
}
