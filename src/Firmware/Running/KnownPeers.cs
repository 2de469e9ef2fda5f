using System.Net;
using System.Text;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Platform.Storage;

namespace EdgeFirmware.Firmware.Running;

/// <summary>Addresses of members, one a line, remembered over a restart: a node that comes back alone looks where the others were. Written seldom, since a card
/// wears, and no loss when it is not.</summary>
internal sealed class KnownPeers(string directory, TimeProvider time)
{
    private const int PeersMax = 16;
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan First = TimeSpan.FromMinutes(1);

    private string[] _written = [];

    /// <returns>Where to look; empty when nothing usable is stored.</returns>
    public static IReadOnlyList<IPEndPoint> Load(string directory)
    {
        var found = new List<IPEndPoint>();
        try
        {
            foreach (var line in File.ReadLines(PathIn(directory)).Take(PeersMax))
                if (IPEndPoint.TryParse(line, out var address) && address.Port > 0)
                    found.Add(address);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // None remembered, or not any more: seeds and multicast remain.
        }
        return found;
    }

    /// <summary>Keeps the file up to date until cancelled.</summary>
    public async Task RememberAsync(Func<IReadOnlyList<MemberView>> members, CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(First, time);
        while (await timer.WaitForNextTickAsync(cancel))
        {
            timer.Period = Interval;
            var alive = members().Where(member => member.Status == MemberStatus.Alive).Select(member => member.Address.ToString()).Take(PeersMax).ToArray();
            if (alive.Length == 0 || alive.AsSpan().SequenceEqual(_written))
                continue;
            try
            {
                await AtomicFile.WriteAsync(PathIn(directory), Encoding.ASCII.GetBytes(string.Join('\n', alive)), cancel);
                _written = alive;
            }
            catch (StorageException)
            {
                // A full disk is told where it loses something; this is tried again.
            }
        }
    }

    private static string PathIn(string directory) => Path.Combine(directory, "peers");
}
