using EdgeFirmware.Mqtt.Durability;
using EdgeFirmware.Mqtt.Packets;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeFirmware.Mqtt.Tests.Fuzz;

public sealed class JournalFuzzTests : IDisposable
{
    private const int Files = 2000;
    private const int Directories = 60;
    private readonly string _root = Directory.CreateTempSubdirectory("edge-journal-fuzz-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Damage_never_costs_what_stands_before_it() => FuzzCampaign.Run("files", FuzzCampaign.Count(Files, costs: 20), seed =>
    {
        var random = new Random(seed);
        var (bytes, ends) = new JournalText(random).Make(1, random.Next(1, 12), isSnapshot: false);
        for (var i = 0; i < 10; i++)
        {
            var (damaged, from) = Damage.To(bytes, random);
            var whole = ends.FindAll(end => end <= from).LastOrDefault(from < Segment.HeaderBytes ? 0 : Segment.HeaderBytes);
            var (_, before) = Read(bytes[..whole]);
            var (reading, after) = Read(damaged);
            Require(JournalText.Facts(before).IsSubsetOf(JournalText.Facts(after)), $"lost what stood before {from}");
            Require(reading.WholeBytes >= whole, $"cut at {reading.WholeBytes}, though {whole} are whole");
        }

        return 10;
    });

    [Fact]
    public void Whatever_happened_to_the_files_the_broker_starts_and_keeps_what_comes_next() =>
        FuzzCampaign.Run("stores", FuzzCampaign.Count(Directories, costs: 1000), seed =>
        {
            var random = new Random(seed);
            var options = new DurabilityOptions { Directory = Path.Combine(_root, $"{seed}") };
            Directory.CreateDirectory(options.Directory);
            Fill(options.Directory, random);
            Append(options);
            var again = JournalStart.Open(options, NullLogger.Instance);
            using (again?.Files)
            {
                var isThere = again is not null && again.Value.Replay.Sessions.ContainsKey(77);
                Require(isThere, $"what was written after the damage is gone: {Listing(options)}");
            }

            foreach (var directory in Directory.GetDirectories(_root)) Directory.Delete(directory, recursive: true);
            return 1;
        });

    private static string Listing(DurabilityOptions options) =>
        string.Join(", ", Directory.GetFiles(options.Directory).Select(path => $"{Path.GetFileName(path)} {new FileInfo(path).Length}"));

    private static void Append(DurabilityOptions options)
    {
        var opened = JournalStart.Open(options, NullLogger.Instance);
        Require(opened is not null, "the broker starts without its store");
        using var files = opened!.Value.Files;
        var output = new OutputBuffer();
        output.WriteBytes(new byte[Segment.FrameHeaderBytes]);
        var terms = new SessionTermsEntry("next", "user", ProtocolVersion.V5, 100, null);
        new EntryEncoder(snapshot: 0).Write(output, new(EntryKind.SessionOpened, 77, 0, terms));
        files.Append(output.Span);
    }

    /// <summary>A snapshot and some logs, of which some are damaged, missing, empty, renamed or strange.</summary>
    private static void Fill(string directory, Random random)
    {
        var text = new JournalText(random);
        for (long number = 1; number < 6; number++)
        {
            var isSnapshot = number == 2;
            var (bytes, _) = text.Make(number, random.Next(1, 6), isSnapshot);
            if (random.Next(3) == 0) bytes = Damage.To(bytes, random).Bytes;
            if (random.Next(12) == 0) bytes = [];
            var name = Segment.NameOf(isSnapshot ? Segment.SnapshotPrefix : Segment.LogPrefix, random.Next(15) == 0 ? number + 1 : number);
            if (random.Next(12) != 0) File.WriteAllBytes(Path.Combine(directory, name), bytes);
        }

        foreach (var strange in new[] { "log-", "log-zz", "snap-ffffffffffffffff", "log-7fffffffffffffff", "other", "snap-0000000000000009.new" })
        {
            if (random.Next(12) == 0) File.WriteAllBytes(Path.Combine(directory, strange), [1, 2, 3]);
        }
    }

    private (SegmentReading Reading, Replay Replay) Read(byte[] bytes)
    {
        var path = Path.Combine(_root, "read");
        File.WriteAllBytes(path, bytes);
        var replay = new Replay();
        return (SegmentReader.Read(path, 1, replay), replay);
    }

    private static void Require(bool holds, string what)
    {
        if (!holds) throw new InvalidOperationException(what);
    }
}
