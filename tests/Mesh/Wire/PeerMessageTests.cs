using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeFirmware.Contracts;
using EdgeFirmware.Mesh.Negotiation;
using EdgeFirmware.Mesh.Placement;
using EdgeFirmware.Mesh.Shell;

namespace EdgeFirmware.Mesh.Tests.Wire;

public sealed class PeerMessageTests
{
    private static readonly Guid Id = Guid.Parse("6c1f2a34-9f43-4f5e-8a17-0d1c2b3a4f5e");
    private static readonly WorkloadRecord Plain = new(
        Samples.Workload(), 3, 1, Samples.Node(1), Samples.Node(2), WorkloadState.Running, null, "");
    private static readonly WorkloadRecord Handing = new(
        Samples.WithVolumes() with { Environment = new Dictionary<string, string> { ["A"] = "ü\n" }, Command = ["--x"] },
        long.MaxValue / 4, 0, Samples.Node(1), Samples.Node(2), WorkloadState.HandingOver, Samples.Node(3), "asked");
    private static readonly MoveFigures Figures = new(Samples.Node(1), Samples.Node(2), 4, "asked", 1.5, 1 << 20, 36, 586);

    private static readonly Decision Chosen = new(
        Trigger.Balance, Samples.Node(1), Samples.Node(2), "balance", 1.5, 1,
        [
            new Verdict(Samples.Node(2), Outcome.Chosen, "T 2.5 ms, M-U 0.70", 3.5, new CostTerms(2.5, 0.1, "cpu", 0.75, 0.05, 0.7, 0, 1, 1)),
            new Verdict(Samples.Node(3), Outcome.Unfit, "level 1: overloaded", null, null),
        ], 0);

    internal static readonly PeerMessage[] Messages =
    [
        new Ask(Id, Samples.Workload(), 2, "arm64", ""), new Ask(Id, Handing.Spec, 2, "", "overloaded"), new Grant(Id, Samples.Offer),
        new Grant(Id, Samples.MessagingOnly), new Refuse(Id, "no"), new CounterOffer(Id, Samples.StorageOnly, "level 1: overloaded"),
        new Ask(Id, Samples.Workload(), 2, "arm64", "it may fail", OrHold: true), new Ask(Id, Handing.Spec, 2, "", "", Origin: Samples.Node(4), Hops: 1),
        new Referral(Id, Samples.Node(5), "[fd00::1]:7900", Samples.Offer), new Cancel(Id), new Activate(Id, Plain), new Activate(Guid.Empty, Handing),
        new Activated(Id, Plain), new ActivationFailed(Id, Plain.Id, 3, "why"), new Records([], WantsReply: true),
        new Records([Plain, Handing], WantsReply: false), new Request(Id, RequestVerb.Move, Plain.Id, Samples.Node(2), "asked"),
        new Request(Id, RequestVerb.Remove, Plain.Id, null, ""), new Reply(Id, null, null, "there is no workload"),
        new Activate(Id, Plain) { Decision = Chosen }, new Request(Id, RequestVerb.Explain, Plain.Id, null, ""),
        new Reply(Id, Plain, null, "") { Explanation = new Explanation(Chosen, null) }, new Reply(Id, Plain, null, "") { Explanation = new Explanation(null, Chosen) },
        new Reply(Id, Plain, null, ""), new Reply(Id, Handing, Figures, ""),
    ];

    public static TheoryData<int> Indices => [.. Enumerable.Range(0, Messages.Length)];

    [Theory]
    [MemberData(nameof(Indices))]
    public void A_message_is_read_as_it_was_written(int index)
    {
        var json = Write(Messages[index]);
        var read = Read(json);
        Assert.Equal(Messages[index].GetType(), read!.GetType());
        Assert.Equal(json, Write(read)); // lists compare by reference in records: the text says it all
    }

    [Fact]
    public void Every_kind_of_message_is_among_the_samples()
    {
        var kinds = typeof(PeerMessage).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(PeerMessage)));
        Assert.Empty(kinds.Except(Messages.Select(message => message.GetType())));
    }

    [Theory]
    [MemberData(nameof(Indices))]
    public void A_message_with_a_field_missing_or_null_is_refused_or_harmless(int index)
    {
        var whole = JsonNode.Parse(Write(Messages[index]))!.AsObject();
        foreach (var path in Paths(whole, []))
        {
            TryRead(Without(whole, path, JsonEdit.Remove));
            TryRead(Without(whole, path, JsonEdit.Null));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"type\":\"none\"}")]
    [InlineData("{\"type\":\"cancel\"}")]
    [InlineData("{\"type\":\"cancel\",\"lease\":\"x\"}")]
    [InlineData("{\"type\":\"refuse\",\"lease\":\"6c1f2a34-9f43-4f5e-8a17-0d1c2b3a4f5e\",\"why\":null}")]
    [InlineData("{\"type\":\"records\",\"known\":null,\"wantsReply\":true}")]
    [InlineData("{\"type\":\"records\",\"known\":[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]],\"wantsReply\":true}")]
    public void Garbage_is_refused_without_another_exception(string json) => Assert.Null(TryRead(json));

    [Fact]
    public void Mutated_messages_never_throw_out_of_the_core()
    {
        var random = new Random(11);
        var site = new SimulatedSite(2);
        site.Run(5);
        var read = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = Encoding.UTF8.GetBytes(Write(Messages[random.Next(Messages.Length)]));
            for (var changes = random.Next(1, 3); changes > 0; changes--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(32, 127);
            if (TryRead(Encoding.UTF8.GetString(bytes)) is not { } message)
                continue;
            read++;
            site[1].Hear(message, Samples.Node(2));
        }
        site.Run(5);
        Assert.InRange(read, 1000, 20_000);
    }

    [Fact]
    public void A_null_where_a_list_or_a_table_holds_text_does_not_bring_the_node_down()
    {
        var site = new SimulatedSite(2);
        foreach (var message in Messages)
        {
            var whole = JsonNode.Parse(Write(message))!.AsObject();
            foreach (var path in Paths(whole, []))
                if (TryRead(Without(whole, path, JsonEdit.Null)) is { } read)
                    site[1].Hear(read, Samples.Node(2));
        }
        site.Run(1);
    }

    private enum JsonEdit
    {
        Remove,
        Null,
    }

    private static IEnumerable<string[]> Paths(JsonNode? node, string[] at)
    {
        var children = node switch
        {
            JsonObject table => table.Select(pair => (pair.Key, pair.Value)),
            JsonArray list => list.Select((value, i) => ($"{i}", value)),
            _ => [],
        };
        foreach (var (key, child) in children)
        {
            yield return [.. at, key];
            foreach (var deeper in Paths(child, [.. at, key]))
                yield return deeper;
        }
    }

    private static string Without(JsonObject whole, string[] path, JsonEdit edit)
    {
        var copy = whole.DeepClone();
        var parent = path[..^1].Aggregate(copy, (node, key) => node is JsonArray list ? list[int.Parse(key)]! : node[key]!);
        if (parent is JsonArray items)
            items[int.Parse(path[^1])] = null;
        else if (edit == JsonEdit.Null)
            parent.AsObject()[path[^1]] = null;
        else
            parent.AsObject().Remove(path[^1]);
        return copy.ToJsonString();
    }

    private static string Write(PeerMessage message) => JsonSerializer.Serialize(message, MeshJson.Default.PeerMessage);

    private static PeerMessage? Read(string json) => JsonSerializer.Deserialize(json, MeshJson.Default.PeerMessage);

    /// <summary>As the shell reads: these two exceptions end the conversation, any other one the node.</summary>
    private static PeerMessage? TryRead(string json)
    {
        try
        {
            return Read(json);
        }
        catch (Exception error) when (error is JsonException or NotSupportedException)
        {
            return null;
        }
    }
}
