using System.Text.Json;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Engine;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Contracts.Resources;
using EdgeFirmware.Firmware.Configuration;
using EdgeFirmware.Firmware.Site;
using EdgeFirmware.Firmware.Users;
using EdgeFirmware.Mesh.Shell;
using EdgeFirmware.Mqtt.Bridge;
using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Overlay.Peers;
using EdgeFirmware.Mqtt.Topics;
using EdgeFirmware.Workloads.Copies;
using EdgeFirmware.Workloads.Custody;

namespace EdgeFirmware.Firmware.Operations;

/// <summary>Everything a person can ask of the node, for the control socket and the HTTP API alike. Refusals are
/// <see cref="OperationRefusedException"/>.</summary>
internal sealed class NodeOperations(
    NodeId self, NodeConfiguration configuration, MqttBroker broker, MeshNode mesh, WorkloadHost host, CustodyDesk custody,
    IContainerEngine engine, MachineDescription machine, EventLog events, UserDesk users, TimeProvider time)
{
    private const int TailLinesMax = 100_000;

    private readonly long _started = time.GetTimestamp();
    private PlacementDesk? _placement;
    private OverlayDesk? _overlay;

    public EventLog Events => events;

    public UserDesk Users => users;

    public PlacementDesk Placement => _placement ??= new PlacementDesk(mesh, Find, time);

    /// <summary><c>null</c> in the lab profile and without a mesh.</summary>
    public NodeSite? Site { get; init; }

    public required LinkDesk Links { get; init; }

    /// <summary><c>null</c>: other nodes are not reached by it.</summary>
    public OverlayNode? OverlayNode { get; init; }

    /// <summary>What other nodes' bridges carry here.</summary>
    public required BridgeIntake Intake { get; init; }

    public OverlayDesk Overlay => _overlay ??= new OverlayDesk(OverlayNode, FindNode, time);

    public ClientDesk Clients { get; } = new(broker, events);

    public BrokerStatistics BrokerStatistics => broker.Statistics;

    /// <summary>What waits for workloads on this node.</summary>
    public IReadOnlyDictionary<WorkloadId, InletBacklog> Backlogs => custody.Backlogs;

    public NodeView Node()
    {
        var snapshot = mesh.Snapshot;
        var reading = snapshot.Reading;
        var offer = snapshot.Offer;
        var statistics = broker.Statistics;
        return new NodeView(
            self.Value, self.Name, ProductVersion.Text,
            configuration.Location is { } at ? [at.Latitude, at.Longitude] : null,
            (int)(offer?.Level ?? CollaborationLevel.Messaging), offer?.Why ?? "not measured yet", offer?.Overloaded ?? false,
            new ResourceView(
                reading.CpuCores, reading.CpuLoad, offer?.CpuFreeCores ?? 0, reading.CpuPressure, reading.MemoryBytes, reading.MemoryFreeBytes,
                reading.DiskBytes, reading.DiskFreeBytes),
            new MachineView(machine.Architecture, machine.PageBytes, machine.KernelVersion, machine.OperatingSystem, machine.Model),
            new EngineView(offer?.Engine.Length > 0, offer?.Engine ?? "", configuration.EngineSocket),
            new BrokerView(
                broker.Endpoints.Where(endpoint => !endpoint.Trusted).Select(endpoint => endpoint.ToString()).ToArray(),
                statistics.Connections, statistics.Sessions, statistics.Subscriptions, statistics.RetainedMessages, statistics.MessagesIn,
                statistics.MessagesOut, statistics.MessagesDropped, statistics.BytesIn, statistics.BytesOut, statistics.DiskBytes,
                statistics.DiskBytesWritten, statistics.DiskCommits, statistics.DiskIsFull),
            configuration.Mesh is { } settings ? ViewOf(settings, snapshot, Site) : null,
            time.GetElapsedTime(_started).TotalSeconds,
            offer?.Draining ?? false, OfferView.Words(offer?.Links ?? LinkKinds.None), [.. offer?.Labels ?? []], OutlookView.Of(offer?.Outlook ?? default),
            HealthView.Of(snapshot.Health));
    }

    public NodeForecastView Forecast() => NodeForecastView.Of(mesh.Snapshot.Forecast);

    public BridgeView[] Bridges() => broker.Bridges.Select(bridge => ViewOf(bridge.Status)).ToArray();

    public PeerView[] Peers()
    {
        var now = Instant.Now(time);
        return mesh.Snapshot.Members.Select(member => ViewOf(member, now)).ToArray();
    }

    public WorkloadView[] Workloads()
    {
        var snapshot = mesh.Snapshot;
        var backlogs = custody.Backlogs;
        return snapshot.Records.Where(record => record.State != WorkloadState.Removed)
            .Select(record => ViewOf(record, snapshot, backlogs.GetValueOrDefault(record.Id).Messages)).ToArray();
    }

    public WorkloadView Workload(string name)
    {
        var record = Find(name);
        return ViewOf(record, mesh.Snapshot, custody.Backlogs.GetValueOrDefault(record.Id).Messages);
    }

    public async Task<WorkloadView> DeployAsync(WorkloadSpec spec)
    {
        var faults = spec.Faults()
            .Concat(spec.Inputs.Where(filter => !TopicName.IsValidFilter(filter)).Select(filter => $"inputs: '{filter}' is no topic filter"))
            .Concat(spec.Outputs.Where(topic => !TopicName.IsValid(topic)).Select(topic => $"outputs: '{topic}' is no topic"))
            .ToList();
        if (faults.Count > 0)
            throw new OperationRefusedException(400, string.Join("; ", faults));
        if (users.Allowance.Begin(spec, [.. mesh.Snapshot.Records.Where(record => record.State != WorkloadState.Removed).Select(record => record.Spec)]) is { Length: > 0 } bound)
            throw new OperationRefusedException(409, bound);
        try
        {
            var answer = await mesh.DeployAsync(spec);
            if (answer.Fault.Length > 0)
                throw new OperationRefusedException(409, answer.Fault);
            return ViewOf(answer.Record!, mesh.Snapshot, waiting: 0);
        }
        finally
        {
            users.Allowance.End(spec);
        }
    }

    public async Task<MoveView> MigrateAsync(string name, string? to)
    {
        var id = Find(name).Id;
        var answer = await mesh.MoveAsync(id, to is null ? null : FindNode(to), "asked by the operator");
        if (answer.Figures is not { } figures)
            throw new OperationRefusedException(409, answer.Fault);
        return new MoveView(
            id.Value, figures.From.Name, figures.To.Name, figures.Epoch, figures.Why, Math.Round(figures.SelectionMilliseconds, 3),
            figures.BytesSent, Math.Round(figures.FreezeMilliseconds, 3), Math.Round(figures.TotalMilliseconds, 3));
    }

    public async Task<WorkloadView> RemoveAsync(string name)
    {
        var answer = await mesh.RemoveAsync(Find(name).Id, "removed by the operator");
        return answer.Fault.Length == 0
            ? ViewOf(answer.Record!, mesh.Snapshot, waiting: 0)
            : throw new OperationRefusedException(409, answer.Fault);
    }

    public IAsyncEnumerable<LogLine> LogsAsync(string name, int? tail, bool follow, CancellationToken cancel)
    {
        if (tail is < 0 or > TailLinesMax)
            throw new OperationRefusedException(400, $"tail: a number from 0 to {TailLinesMax}");
        var record = Find(name);
        var container = host.ContainerOf(record.Id)
            ?? throw new OperationRefusedException(409, record.Owner == self
                ? $"{record.Id} has no container yet: {record.Why}"
                : $"{record.Id} runs on {record.Owner.Name}: read its logs there");
        return engine.ReadLogsAsync(container, tail, follow, cancel);
    }

    public static OperationRefusedException Refusal(EngineException error) => new(error.Failure == EngineFailure.NotFound ? 404 : 503, error.Message);

    /// <exception cref="OperationRefusedException">With what the reader complains of.</exception>
    public static WorkloadSpec ReadSpec(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, FirmwareJson.Default.WorkloadSpec)
                ?? throw new OperationRefusedException(400, "an empty specification");
        }
        catch (JsonException error)
        {
            throw new OperationRefusedException(400, $"not a workload specification: {error.Message}");
        }
    }

    /// <summary>By <c>user-name</c>, or by name alone when only one user has it.</summary>
    private WorkloadRecord Find(string name)
    {
        var records = mesh.Snapshot.Records.Where(record => record.State != WorkloadState.Removed).ToList();
        var exact = records.FirstOrDefault(record => record.Id.Value == name);
        if (exact is not null)
            return exact;
        var byName = records.Where(record => record.Spec.Name == name).ToList();
        return byName.Count switch
        {
            1 => byName[0],
            0 => throw new OperationRefusedException(404, $"there is no workload '{name}'"),
            _ => throw new OperationRefusedException(409, $"'{name}' is ambiguous: {string.Join(", ", byName.Select(record => record.Id.Value))}"),
        };
    }

    private NodeId FindNode(string name)
    {
        if (name == self.Name || name == self.Value)
            return self;
        var found = mesh.Snapshot.Members.Where(member => member.Id.Name == name || member.Id.Value == name).ToList();
        return found.Count switch
        {
            1 => found[0].Id,
            0 => throw new OperationRefusedException(404, $"there is no node '{name}' in this site; see 'edge-firmware peers'"),
            _ => throw new OperationRefusedException(409, $"'{name}' is ambiguous: {string.Join(", ", found.Select(member => member.Id.Value))}"),
        };
    }

    private static BridgeView ViewOf(BridgeStatus bridge) => new(
        bridge.Name, bridge.Address, bridge.Connected, bridge.ConnectedFor?.TotalSeconds, bridge.RemoteName, bridge.Trouble, bridge.Attempts,
        bridge.QueuedMessages, bridge.QueuedBytes, bridge.Forwarded, bridge.Received, bridge.Dropped);

    private static MeshView ViewOf(MeshConfiguration settings, MeshSnapshot snapshot, NodeSite? site) => new(
        settings.Listen.ToString(), snapshot.Members.Count(member => member.Status == MemberStatus.Alive),
        snapshot.Members.Count(member => member.Status == MemberStatus.Suspect), snapshot.Members.Count(member => member.Status == MemberStatus.Dead),
        snapshot.Datagrams.Genuine, snapshot.Datagrams.Sent, snapshot.Datagrams.Forged, snapshot.Datagrams.Replayed, snapshot.Datagrams.Malformed,
        snapshot.ControlDropped, site is null ? "lab" : "certificates", site?.State().Name, site?.State().Own?.GoodUntil);

    private static PeerView ViewOf(MemberView member, Instant now)
    {
        var offer = member.OfferAt(now);
        var age = offer is null ? null : now - member.OfferHeard;
        return new PeerView(
            member.Id.Name, member.Id.Value, member.Address.ToString(), Word(member.Status), member.Why, Reach(member), (int?)offer?.Level, offer?.Why,
            offer is null ? null : new PeerResourceView(offer.CpuCores, offer.CpuFreeCores, offer.MemoryBytes, offer.MemoryFreeBytes, offer.DiskFreeBytes),
            offer?.Engine, offer?.Architecture, member.RoundTrip is { } trip ? Math.Round(trip.TotalMilliseconds, 3) : null,
            offer?.Overloaded, offer?.Draining, offer is null ? null : OfferView.Words(offer.Links), offer is null ? null : [.. offer.Labels],
            offer is null ? null : OutlookView.Of(offer.Outlook), Seconds(age), Seconds(offer?.Validity - age));
    }

    private static double? Seconds(TimeSpan? span) => span is { } known ? Math.Round(known.TotalSeconds, 1) : null;

    private static string Reach(MemberView member) => member.Status switch
    {
        MemberStatus.Alive when member.RoundTrip is not null => "direct",
        MemberStatus.Alive => "hearsay",
        MemberStatus.Suspect => "silent",
        _ => "none",
    };

    private WorkloadView ViewOf(WorkloadRecord record, MeshSnapshot snapshot, int waiting)
    {
        var state = record.State switch
        {
            WorkloadState.HandingOver => "moving",
            WorkloadState.Removed => "removed",
            WorkloadState.Held => "held",
            _ => record.Owner == self && !snapshot.Running.Contains(record.Id) && host.ContainerOf(record.Id) is null ? "starting" : "running",
        };
        return new WorkloadView(
            record.Spec.Name, record.Spec.User, record.Id.Value, record.Owner.Name, record.Owner.Value, state, record.Epoch,
            host.ContainerOf(record.Id), record.Spec.Image, record.Spec.Inputs.ToArray(), record.Spec.Outputs.ToArray(), record.Why, waiting);
    }

    private static string Word(MemberStatus status) => status switch
    {
        MemberStatus.Alive => "alive",
        MemberStatus.Suspect => "suspect",
        MemberStatus.Dead => "dead",
        _ => "left",
    };
}
