using System.Threading.Channels;
using EdgeFirmware.Contracts.Mesh;

namespace EdgeFirmware.Firmware.Operations;

/// <summary>The last events of the node, for those who look now and those who follow.</summary>
internal sealed class EventLog(TimeProvider time)
{
    private const int KeptMax = 256;
    private const int FollowersMax = 64;
    private const int FollowerBacklogMax = 512;

    private readonly Lock _gate = new();
    private readonly Queue<EventView> _kept = new();
    private readonly List<Channel<EventView>> _followers = [];
    private long _sequence;

    public void Add(NodeEvent happened)
    {
        lock (_gate)
        {
            var view = new EventView(
                ++_sequence, time.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.fffZ"), happened.Kind, happened.Subject, happened.Why, happened.Figures,
                happened.Details);
            _kept.Enqueue(view);
            if (_kept.Count > KeptMax)
                _kept.Dequeue();
            foreach (var follower in _followers)
                follower.Writer.TryWrite(view);
        }
    }

    /// <summary>Events after <paramref name="after"/>, then those to come. A follower that does not read loses the oldest.</summary>
    /// <param name="after">The last one seen; one that this run of the node has not reached is of an earlier run, and everything is new.</param>
    /// <returns>Dispose of it to stop following.</returns>
    /// <exception cref="OperationRefusedException">Too many follow already.</exception>
    public EventFollower Follow(long after)
    {
        var channel = Channel.CreateBounded<EventView>(new BoundedChannelOptions(FollowerBacklogMax) { FullMode = BoundedChannelFullMode.DropOldest });
        lock (_gate)
        {
            if (_followers.Count >= FollowersMax)
                throw new OperationRefusedException(503, $"{FollowersMax} others follow the events already");
            foreach (var view in _kept.Where(view => view.Sequence > after || after > _sequence))
                channel.Writer.TryWrite(view);
            _followers.Add(channel);
        }
        return new EventFollower(channel.Reader, () => Forget(channel));
    }

    private void Forget(Channel<EventView> channel)
    {
        lock (_gate)
            _followers.Remove(channel);
    }
}

/// <summary>A request that cannot be done now or at all; the message says what to do. <see cref="Status"/> is HTTP's.</summary>
internal sealed class OperationRefusedException(int status, string detail) : Exception(detail)
{
    public int Status { get; } = status;

    public ProblemView ToProblem() => new("about:blank", Title(Status), Status, Message);

    private static string Title(int status) => status switch
    {
        400 => "Bad request",
        401 => "Unauthorized",
        404 => "Not found",
        405 => "Method not allowed",
        409 => "Conflict",
        413 => "Content too large",
        502 => "Bad gateway",
        503 => "Not available",
        _ => "Refused",
    };
}
