using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeFirmware.Contracts;
using EdgeFirmware.Mesh.Negotiation;
using EdgeFirmware.Mesh.Shell;
using EdgeFirmware.Mesh.Tests.Wire;

namespace EdgeFirmware.Mesh.Tests.Negotiation;

/// <summary>Members that say what is not so.</summary>
public sealed class LyingPeerTests
{
    public static TheoryData<string, PeerMessage> Impossible => new()
    {
        { "of 4 cores free", new Grant(Guid.NewGuid(), Samples.Offer with { CpuFreeCores = 1000 }) },
        { "cores free", new Grant(Guid.NewGuid(), Samples.Offer with { CpuCores = 1e9, CpuFreeCores = 1e9 }) },
        { "cores free", new CounterOffer(Guid.NewGuid(), Samples.Offer with { CpuFreeCores = -1 }, "") },
        { "bytes of memory free", new Grant(Guid.NewGuid(), Samples.Offer with { MemoryFreeBytes = long.MaxValue }) },
        { "bytes of disk free", new CounterOffer(Guid.NewGuid(), Samples.Offer with { DiskFreeBytes = -1 }, "") },
        { "a referral to nowhere", new Referral(Guid.NewGuid(), Samples.Node(3), "here", Samples.Offer) },
        { "a referral to nowhere", new Referral(Guid.NewGuid(), Samples.Node(3), "10.0.0.1", Samples.Offer) },
        { "an ask over 9 hops", new Ask(Guid.NewGuid(), Samples.Workload(), 2, "", "", Hops: 9) },
        { "a text of 20000 characters", new Refuse(Guid.NewGuid(), new string('x', 20000)) },
        { "257 records at once", new Records([.. Enumerable.Range(0, 257).Select(i => Record(i + 1))], WantsReply: true) },
    };

    [Theory]
    [MemberData(nameof(Impossible))]
    public void What_cannot_be_is_dropped_counted_and_told_once(string told, PeerMessage message)
    {
        var site = Asking.With(3);
        for (var i = 0; i < 5; i++)
            site[1].Hear(message, site[2].Id);
        Assert.Equal(5, site[1].Core!.Dropped);
        Assert.Contains(told, Assert.Single(site[1].Told, one => one.Kind == "peer-fault").Why, StringComparison.Ordinal);
    }

    /// <summary>Every phase of a move, by hundredths of a second.</summary>
    public static TheoryData<int> Moments => [.. Enumerable.Range(0, 20).Select(i => i * 8)];

    [Theory]
    [MemberData(nameof(Moments))]
    public void A_third_node_cannot_speak_for_the_two_that_move_a_workload(int hundredths)
    {
        var site = Asking.With(4, Samples.WithVolumes());
        site[1].Move(site[2].Id);
        site.Run(hundredths / 100.0);
        var said = site.Nodes.SelectMany(node => node.Sent.Where(sent => sent.Message is not (Records or Ask)).Select(sent => (sent.To, sent.Message))).ToList();
        var lease = site[1].Sent.Select(sent => sent.Message).OfType<Ask>().FirstOrDefault()?.Lease ?? Guid.NewGuid();
        var record = site[1].Known()!;
        said.AddRange(
        [
            (site[1].Id, new Grant(lease, Samples.Offer)), (site[1].Id, new Refuse(lease, "no")), (site[2].Id, new Cancel(lease)),
            (site[2].Id, new Activate(lease, record with { Epoch = 2, Owner = site[2].Id, State = WorkloadState.Running, HandedTo = null })),
            (site[1].Id, new Activated(lease, record with { Epoch = 2, Owner = site[2].Id })),
            (site[1].Id, new Activated(lease, record with { Epoch = 2, Owner = site[3].Id })),
            (site[1].Id, new ActivationFailed(lease, Asking.Id, 2, "no")), (site[1].Id, new CounterOffer(lease, Samples.Offer, "")),
            (site[1].Id, new Referral(lease, site[3].Id, "10.0.0.1:7900", Samples.Offer)),
        ]);
        foreach (var (to, message) in said)
            site.Find(to).Hear(message, site[3].Id);
        site.Run(60);
        site.AssertSettledOn(2);
        Assert.Equal(2, site[2].Known()!.Epoch);
    }

    /// <summary>Messages that were valid, with values of other messages, of other kinds, or beyond all bounds in their place.</summary>
    [Fact]
    public void Whatever_members_say_of_other_things_a_site_goes_on_with_its_own()
    {
        const int Seed = 20261121;
        var random = new Random(Seed);
        var site = Asking.With(3, Samples.WithVolumes("own"));
        var own = WorkloadId.Of("ana", "own");
        var texts = PeerMessageTests.Messages.Select(message => JsonSerializer.Serialize(message, MeshJson.Default.PeerMessage)).ToList();
        var heard = 0;
        for (var i = 0; i < 6_000; i++)
        {
            var mutant = Mutant(texts, random);
            PeerMessage? message;
            try
            {
                message = JsonSerializer.Deserialize(mutant, MeshJson.Default.PeerMessage);
            }
            catch (Exception error) when (error is JsonException or NotSupportedException)
            {
                continue;
            }
            if (message is null)
                continue;
            heard++;
            site[random.Next(1, 4)].Hear(message, Samples.Node(random.Next(1, 6)));
            if (i % 100 == 0)
                site.Run(0.5);
        }
        Assert.InRange(heard, 300, 6_000);
        site.Run(200);
        Assert.Equal("", new SiteInvariants(site).Unsettled(own, mustLive: true, mustBeGone: false));
        Assert.Equal((1, site[1].Id), (site[3].Core!.KnownRecords.Single(record => record.Id == own) is var known ? known.Epoch : 0, known.Owner));
    }

    private static byte[] Mutant(List<string> texts, Random random)
    {
        var root = JsonNode.Parse(texts[random.Next(texts.Count)])!;
        var donor = JsonNode.Parse(texts[random.Next(texts.Count)])!;
        for (var edits = random.Next(1, 4); edits > 0; edits--)
        {
            var places = Places(root).ToList();
            var (parent, name) = places[random.Next(places.Count)];
            var values = Places(donor).ToList();
            var (from, key) = values[random.Next(values.Count)];
            parent[name] = random.Next(6) switch
            {
                0 => null,
                1 => JsonValue.Create(random.NextInt64(long.MinValue, long.MaxValue)),
                2 => JsonValue.Create(random.Next(-2, 5)),
                3 => JsonValue.Create(new string('x', random.Next(0, 3000))),
                4 => from[key]?.DeepClone(),
                _ => new JsonArray([.. Enumerable.Range(0, random.Next(0, 300)).Select(_ => parent[name]?.DeepClone())]),
            };
        }
        return Encoding.UTF8.GetBytes(root.ToJsonString());
    }

    private static IEnumerable<(JsonObject Parent, string Name)> Places(JsonNode node)
    {
        if (node is JsonObject parent)
            foreach (var (name, value) in parent.ToList())
            {
                if (name != "type")
                    yield return (parent, name);
                if (value is not null)
                    foreach (var place in Places(value))
                        yield return place;
            }
        else if (node is JsonArray list)
            foreach (var item in list)
                if (item is not null)
                    foreach (var place in Places(item))
                        yield return place;
    }

    private static WorkloadRecord Record(int number) =>
        new(Samples.Workload($"x{number}"), 1, 0, Samples.Node(2), Samples.Node(2), WorkloadState.Running, null, "");
}
