using EdgeFirmware.Mesh.Placement;

namespace EdgeFirmware.Mesh.Negotiation;

/// <summary>Deadlines of negotiation, each with its reason.</summary>
public sealed record NegotiationTiming
{
    /// <summary>An ask without any answer is given up: peers answer from memory, so this is network time.</summary>
    public TimeSpan AskTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>After the first grant, slower peers get this long to offer something better.</summary>
    public TimeSpan GrantPatience { get; init; } = TimeSpan.FromMilliseconds(30);

    /// <summary>Peers asked at once.</summary>
    public int AsksMax { get; init; } = 3;

    /// <summary>Whether conversations stay open with those who would be asked first. Each costs some bytes a second, which radios do not have to spare.</summary>
    public bool KeepsReady { get; init; } = true;

    /// <summary>How often it is looked who that is; less than an idle conversation stays open.</summary>
    public TimeSpan ReadyInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A lease that nobody uses ends.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A transfer without end is given up: 1 GB over 10 Mbit/s takes 14 minutes.</summary>
    public TimeSpan TransferTimeout { get; init; } = TimeSpan.FromMinutes(20);

    /// <summary>Activation is repeated this often until it is answered.</summary>
    public TimeSpan ActivateRepeat { get; init; } = TimeSpan.FromMilliseconds(300);

    /// <summary>Activation unanswered this long is taken back under a higher epoch, which fences the peer if it did start.</summary>
    public TimeSpan ActivateTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>After a failed move, rescue or start.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>A workload that has just arrived is not moved again for this long by the node itself; see <see cref="Tenure"/> for more moves.</summary>
    public TimeSpan Residence { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How long a restarted node waits for others to tell what happened meanwhile, before it starts what it owned.</summary>
    public TimeSpan CatchUp { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Records are compared at most this often with members that answer for others.</summary>
    public TimeSpan CompareInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The same when the last comparison taught this node nothing.</summary>
    public TimeSpan SyncInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often records are compared with a random member, whatever it answers for.</summary>
    public TimeSpan TombstoneInterval { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How long an owner nobody has ever seen is waited for before its workloads are rescued.</summary>
    public TimeSpan StrangerPatience { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>An owner's workloads are rescued when it has been gone this long, and the last member that came back has been back this long:
    /// within it a node that is wrongly taken for dead hears of that with the next probe, and its word to the contrary has spread.</summary>
    public TimeSpan RescueConfirmation { get; init; } = TimeSpan.FromSeconds(1.5);

    /// <summary>A node that has lost more members within this time than it has left, itself included, takes itself for the one that is cut
    /// off. It rescues nothing until its losses are older: a site whose nodes really died goes on after that.</summary>
    public TimeSpan IsolationPatience { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A node where a rescued workload did not start is not chosen for it again for this long.</summary>
    public TimeSpan UnablePatience { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A request to another node is repeated after this, then ever later, until it is answered.</summary>
    public TimeSpan RequestRepeat { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>A user whose request went to another node gets an answer after this long, whatever happens: an image of 75 MB over 10 Mbit/s.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>When a node moves work that nobody asked it to move.</summary>
    public PlacementRules Placement { get; init; } = new();

    /// <summary>A workload that cannot run here is offered to others after this long.</summary>
    public TimeSpan StrandedPatience { get; init; } = TimeSpan.FromSeconds(5);
}
