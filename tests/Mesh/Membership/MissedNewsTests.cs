using System.Net;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mesh.Membership;
using EdgeFirmware.Mesh.Site;
using EdgeFirmware.Mesh.Tests.Wire;

namespace EdgeFirmware.Mesh.Tests.Membership;

/// <summary>How what gossip and broadcasts have missed is noticed.</summary>
public sealed class MissedNewsTests
{
    private static readonly IPEndPoint Somewhere = SimulatedMesh.AddressOf(2);
    private readonly Instant _now = new(1_000_000_000);
    private readonly MembershipCore _core;

    public MissedNewsTests() => _core = new MembershipCore(
        Samples.Node(1), SimulatedMesh.AddressOf(1), [], MembershipProfile.Lan, new LabIdentity(), new Random(1), _now);

    [Fact]
    public void Other_records_told_of_twice_in_a_row_are_a_difference()
    {
        _core.RecordsHash = 7;
        Meet(2);
        Answer(records: 8);
        Assert.Empty(_core.Differing);
        Answer(records: 7);
        Answer(records: 8);
        Assert.Empty(_core.Differing);
        Answer(records: 9);
        Assert.Equal(Samples.Node(2), Assert.Single(_core.Differing));
    }

    [Fact]
    public void An_answer_tells_what_this_node_knows_of_workloads()
    {
        _core.RecordsHash = 7;
        Meet(2);
        _core.Outbox.Clear();
        _core.Handle(new Ping(Tag(2), 1, Tag(1)), Somewhere, _now);
        Assert.Equal(7u, Assert.IsType<Ack>(Assert.Single(_core.Outbox).Message).Records);
    }

    [Fact]
    public void A_newcomer_compares_its_view_once_soon_after_it_has_met_somebody()
    {
        Meet(2);
        Meet(3);
        var digests = 0;
        for (var now = _now; now < _now + TimeSpan.FromSeconds(3); now += TimeSpan.FromMilliseconds(10))
        {
            _core.Advance(now);
            while (_core.Outbox.TryDequeue(out var outgoing))
                if (outgoing.Message is Digest)
                {
                    digests++;
                    Assert.InRange((now - _now).TotalMilliseconds, 250, 450);
                }
        }
        Assert.Equal(1, digests);
    }

    private void Meet(int number) => _core.Handle(
        new Gossip(Tag(number))
        {
            News =
            [
                new MemberNews(Tag(number), MemberStatus.Alive, 0, default, Refused: false)
                {
                    Identity = new MemberIdentity(Samples.Node(number), SimulatedMesh.AddressOf(number), 7),
                },
            ],
        }, Somewhere, _now);

    private void Answer(uint records) => _core.Handle(new Ack(Tag(2), 1, 0, records), Somewhere, _now);

    private static MemberTag Tag(int number) => GossipSamples.TagOf(number);
}
