using System.Text;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Overlay.Paths;

namespace EdgeFirmware.Overlay.Peers;

/// <summary>Who is on the same link: each says that it is there, and nobody can prove that.</summary>
internal sealed partial class OverlayCore
{
    /// <summary>Nodes that somebody has said to be there and that were never spoken with: less than <see cref="PeersMax"/>, so that inventing some keeps no true one out.</summary>
    public const int HeardOnlyMax = PeersMax / 4;

    /// <summary>A node says that it is here when a link comes up, to each that it had not heard of, and now and then.</summary>
    private static readonly TimeSpan ShoutUsual = TimeSpan.FromMinutes(1), ShoutOnRadio = TimeSpan.FromMinutes(5);

    /// <summary>Between two times, whoever comes.</summary>
    private static readonly TimeSpan ShoutPause = TimeSpan.FromSeconds(1);

    private readonly Dictionary<int, Instant> _shoutAt = [];
    private readonly Dictionary<int, Instant> _shouted = [];

    /// <summary>Links on which to tell all that this node is here, with <see cref="Here"/>.</summary>
    public Queue<int> Shouts { get; } = [];

    public byte[] Here { get; } = [(byte)PacketType.Here, .. Encoding.ASCII.GetBytes(self.Value)];

    private void HandleHere(PathKey path, ReadOnlySpan<byte> text, Instant now)
    {
        if (text.Length > NodeId.LengthMax || !Ascii.IsValid(text) || !NodeId.TryParse(Encoding.ASCII.GetString(text), out var node) || node == self)
        {
            Counts.Malformed++;
            return;
        }
        if (_peers.TryGetValue(node, out var known))
        {
            Learn(node, path.Remote, path.Link, now);
            Court(known, now);
            return;
        }
        if (!MakeRoomForHeard())
            return;
        Learn(node, path.Remote, path.Link, now);
        if (_peers.TryGetValue(node, out var peer))
            Court(peer, now);
        // Who has just come hears of this node soon, and nobody can make it say so without end.
        if (_shoutAt.TryGetValue(path.Link, out var at))
            _shoutAt[path.Link] = Instant.Min(at, _shouted.TryGetValue(path.Link, out var last) && last + ShoutPause > now ? last + ShoutPause : now);
    }

    private void Shout(Instant now)
    {
        foreach (var link in _links)
            if (_shoutAt.TryGetValue(link.Index, out var at) && at <= now)
            {
                Shouts.Enqueue(link.Index);
                _shouted[link.Index] = now;
                var usual = link.Kind == LinkKind.SixLowpan ? ShoutOnRadio : ShoutUsual;
                _shoutAt[link.Index] = now + usual * (0.75 + random.NextDouble() / 2);
            }
        foreach (var index in _shoutAt.Keys)
            if (!_links.Any(link => link.Index == index && IsUsable(link)))
                _shoutAt.Remove(index);
    }

    /// <returns>Whether one more may be heard of.</returns>
    private bool MakeRoomForHeard() => _peers.Values.Count(static peer => peer.IsHeardOnly) < HeardOnlyMax || DropHeard();

    /// <summary>Any of them: they cannot be told apart, and who is there says so again.</summary>
    private bool DropHeard()
    {
        var heard = _peers.Values.Where(static peer => peer.IsHeardOnly).ToList();
        if (heard.Count == 0)
            return false;
        var dropped = heard[random.Next(heard.Count)];
        Remove(dropped);
        return true;
    }
}
