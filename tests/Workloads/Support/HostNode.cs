using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Workloads.Copies;
using EdgeFirmware.Workloads.Transfer;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeFirmware.Workloads.Tests.Support;

/// <summary>A node's workload layer over the remembering engine, with a mesh that grants what the test says.</summary>
internal sealed class HostNode : IDisposable
{
    private readonly DeskNode _desk;

    public HostNode(PairedNetwork network, int number)
    {
        _desk = new DeskNode(network, number);
        Images = new BookedImages(Engine, Image);
        Host = new WorkloadHost(_desk.Id, Engine, Images, network.Of(_desk.Id), _desk.Broker, _desk.Desk, 1883, new HastyTime(), NullLogger.Instance);
        var transfers = new TransferDesk(
            Host, Engine, Images, (lease, _) => Task.FromResult(Granting(lease)),
            (_, prepared) =>
            {
                Ended.Enqueue(prepared);
                return Task.FromResult(prepared && LeaseStands);
            }, NullLogger.Instance);
        network.Serve(_desk.Id, (conversation, cancel) => conversation.Kind == ConversationKind.Transfer
            ? transfers.ServeAsync(conversation, cancel) : _desk.Desk.ServeAsync(conversation, cancel));
        // The application subscribes to its inputs as soon as it runs.
        Engine.Started = definition =>
        {
            if (Subscribes)
                _desk.Desk.OnSubscribe(WorkloadId.Parse(definition.Name), definition.Name, "in/#", 1);
        };
    }

    public static byte[] Image { get; } = Enumerable.Range(0, 300_000).Select(i => (byte)(i * 7)).ToArray();

    public NodeId Id => _desk.Id;

    public DeskNode Desk => _desk;

    public RememberingEngine Engine { get; } = new();

    public BookedImages Images { get; }

    public WorkloadHost Host { get; }

    public bool Subscribes { get; set; } = true;

    public Guid Lease { get; set; }

    public WorkloadSpec? Granted { get; set; }

    public bool LeaseStands { get; set; } = true;

    public bool IsToHold { get; set; }

    public CancellationTokenSource LeaseEnds { get; } = new();

    public System.Collections.Concurrent.ConcurrentQueue<bool> Ended { get; } = [];

    public void Grant(Guid lease, WorkloadSpec spec) => (Lease, Granted) = (lease, spec);

    public void Dispose()
    {
        LeaseEnds.Dispose();
        _desk.Dispose();
        Host.Dispose();
    }

    private GrantedLease? Granting(Guid lease) => lease == Lease && Granted is { } spec ? new GrantedLease(spec, LeaseEnds.Token, IsToHold) : null;
}
