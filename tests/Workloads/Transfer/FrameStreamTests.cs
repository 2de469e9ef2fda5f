using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Workloads.Tests.Support;
using EdgeFirmware.Workloads.Transfer;

namespace EdgeFirmware.Workloads.Tests.Transfer;

public sealed class FrameStreamTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(128 * 1024)]
    [InlineData(1_000_000)]
    public async Task What_goes_in_comes_out(int size)
    {
        var content = new byte[size];
        new Random(size).NextBytes(content);
        var (read, _) = await CarryAsync(async conversation =>
        {
            await using var stream = new FrameWriteStream(conversation);
            await stream.WriteAsync(content);
            await stream.EndAsync(CancellationToken.None);
        });
        Assert.Equal(content, read);
    }

    [Fact]
    public async Task A_stream_that_is_cut_off_is_never_taken_for_whole()
    {
        var (_, error) = await CarryAsync(async conversation => await conversation.SendAsync((byte)TransferFrame.Chunk, new byte[10], CancellationToken.None));
        Assert.Contains("cut off", Assert.IsType<PeerException>(error).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_that_is_damaged_is_refused()
    {
        var (_, error) = await CarryAsync(async conversation =>
        {
            await conversation.SendAsync((byte)TransferFrame.Chunk, new byte[10], CancellationToken.None);
            await conversation.SendAsync((byte)TransferFrame.End, new byte[32], CancellationToken.None);
        });
        Assert.Contains("damaged", Assert.IsType<PeerException>(error).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_frame_within_a_stream_is_refused()
    {
        var (_, error) = await CarryAsync(async conversation => await conversation.SendAsync((byte)TransferFrame.Done, default, CancellationToken.None));
        Assert.IsType<PeerException>(error);
    }

    private static async Task<(byte[] Read, Exception? Error)> CarryAsync(Func<IPeerConversation, Task> write)
    {
        var network = new PairedNetwork();
        var ended = new TaskCompletionSource<(byte[], Exception?)>();
        network.Serve(Samples.Node(2), async (conversation, cancel) =>
        {
            await using var stream = new FrameReadStream(conversation);
            using var read = new MemoryStream();
            try
            {
                await stream.CopyToAsync(read, cancel);
                await stream.DrainAsync(cancel);
                ended.SetResult((read.ToArray(), null));
            }
            catch (PeerException error)
            {
                ended.SetResult(([], error));
            }
        });
        await using (var conversation = await network.Of(Samples.Node(1)).OpenAsync(Samples.Node(2), ConversationKind.Transfer, CancellationToken.None))
            await write(conversation);
        return await ended.Task.Patiently();
    }
}
