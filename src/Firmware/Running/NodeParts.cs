using System.Net;
using System.Net.Sockets;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Firmware.Broker;
using EdgeFirmware.Firmware.Configuration;
using EdgeFirmware.Firmware.Logging;
using EdgeFirmware.Firmware.Operations;
using EdgeFirmware.Firmware.Site;
using EdgeFirmware.Firmware.Users;
using EdgeFirmware.Mesh.Membership;
using EdgeFirmware.Mesh.Shell;
using EdgeFirmware.Mesh.Site;
using EdgeFirmware.Mesh.Wire;
using EdgeFirmware.Mqtt.Bridge;
using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Topics;
using EdgeFirmware.Overlay.Links;
using EdgeFirmware.Overlay.Peers;
using EdgeFirmware.Platform.Engine;
using EdgeFirmware.Platform.Images;
using EdgeFirmware.Platform.Network.Links;
using EdgeFirmware.Platform.Peers;
using EdgeFirmware.Platform.Resources;
using EdgeFirmware.Platform.Storage;
using EdgeFirmware.Workloads.Copies;
using EdgeFirmware.Workloads.Custody;
using EdgeFirmware.Workloads.Transfer;

namespace EdgeFirmware.Firmware.Running;

/// <summary>The parts of a node behind its broker, joined: the only place that knows them all.</summary>
internal sealed class NodeParts : IDisposable
{
    private readonly List<IDisposable> _owned = [];
    private readonly TlsPeerNetwork? _peers;
    private readonly Socket? _listener;
    private readonly NodeSite? _site;
    private readonly OverlayNode? _overlay;
    private readonly TransferDesk _transfers;
    private readonly KnownPeers _known;
    private readonly EngineWatch _watch;
    private readonly TaskCompletionSource _recordsAreKnown = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="site">The node's certificate and what goes with it; <c>null</c> in the lab profile and without a mesh.</param>
    public NodeParts(
        NodeConfiguration configuration, NodeId self, NodeSite? site, MqttBroker broker, WorkloadTap tap, UserDesk users, JournalLog journal, TimeProvider time)
    {
        _known = new KnownPeers(configuration.DataDirectory, time);
        _site = site;
        var engine = Own(new DockerEngine(configuration.EngineSocket, time, journal.For<DockerEngine>("engine")));
        var images = new ImageCarrier(engine);
        var probe = Own(new ResourceProbe(configuration.DataDirectory, time));
        var machine = MachineProbe.Describe();
        var events = new EventLog(time);
        Intake = new BridgeIntake(broker, NodeBridges.TakesIn);
        users.Happened = events.Add;
        GossipPort? gossip = null;
        if (configuration.Mesh is { } mesh)
        {
            var socket = Own(UdpDatagramSocket.Bind(mesh.Listen, journal.For("mesh")));
            _listener = Own(TlsPeerNetwork.Listen(mesh.Listen, journal.For("peers")));
            gossip = new GossipPort(socket, socket.Groups, site?.NewSeal() ?? new DatagramSeal(mesh.SiteKey), journal.For("mesh"));
            _peers = Own(site is null
                ? new TlsPeerNetwork(self, mesh.SiteKey!, Locate, time, journal.For("peers"))
                : new TlsPeerNetwork(self, site.Identity, Locate, time, journal.For("peers")));
        }
        IPeerNetwork network = _peers is null ? new NoPeers() : _peers;
        Custody = Own(new CustodyDesk(self, tap, static (filter, topic) => TopicName.Matches(filter, topic), network, time, journal.For("custody")));
        var port = configuration.MqttListen.Count > 0 ? configuration.MqttListen[0].Port : 1883;
        Host = Own(new WorkloadHost(self, engine, images, network, tap, Custody, port, time, journal.For("workloads")));
        var records = new RecordDirectory(Path.Combine(configuration.DataDirectory, "workloads"), journal.For("storage"));
        Mesh = Own(new MeshNode(
            self, new MeshNodeParts(network, Host, records, probe, machine, events.Add, time, new Random(), journal.For("mesh")) 
            {
                Labels = configuration.Labels, Identity = site is null ? new LabIdentity() : site.Identity,
                Profile = configuration.Mesh?.Profile ?? MembershipProfile.Lan,
                Sources = () => Custody.Sources, Balances = configuration.Mesh?.Balances ?? false,
            }, gossip,
            configuration.Mesh?.Listen, [.. configuration.Mesh?.Seeds ?? [], .. KnownPeers.Load(configuration.DataDirectory)]));
        site?.Attach(Mesh, gossip!, _peers!, events.Add, journal);
        Mesh.Changed += _ => _recordsAreKnown.TrySetResult();
        _transfers = new TransferDesk(Host, engine, images, Mesh.BeginReceivingAsync, Mesh.ReceivedAsync, journal.For("transfer"));
        _watch = new EngineWatch(engine, Host, Find, Mesh.EngineIsAsync, Mesh.CopyEndedAsync, time, journal.For("engine"));
        Links = new LinkLoop(new KernelLinkWatch(time), new BoundProber(time), configuration.Links, events.Add, time, journal.For("links"));
        if (configuration.Mesh is { OverlayPort: { } overlayPort } reached)
        {
            IPeerTrust trust = site is null ? Own(new LabTrust(reached.SiteKey!)) : site.Identity;
            var overlay = _overlay = Own(new OverlayNode(
                self, trust, new OverlayOptions { Port = overlayPort, Relay = reached.Relays }, Own(new LinkDatagrams(overlayPort, journal.For("overlay"))),
                node => Locate(node)?.Address, ServeAsync, events.Add, time, journal.For("overlay")));
            CarrierTo = node => new NodeCarrier(node, overlay, name => FindOther(self, name), time);
            Mesh.Changed += snapshot => overlay.MembersAre(snapshot.Members);
            (Links.Changed, overlay.Doubts) = (overlay.LinksAre, Links.Doubt);
            if (site is not null)
                site.Tls.TrustChanged += overlay.JudgeAgain;
        }
        Operations = new NodeOperations(self, configuration, broker, Mesh, Host, Custody, engine, machine, events, users, time)
        {
            OverlayNode = _overlay, Intake = Intake, Site = site, Links = new LinkDesk(Links, configuration.Links, time),
        };
    }

    public CustodyDesk Custody { get; }

    public WorkloadHost Host { get; }

    public MeshNode Mesh { get; }

    public LinkLoop Links { get; }

    public NodeOperations Operations { get; }

    /// <summary>What other nodes' bridges carry here.</summary>
    public BridgeIntake Intake { get; }

    /// <summary>What leads to a node of a name; <c>null</c> without an overlay.</summary>
    public Func<string, IBridgeCarrier>? CarrierTo { get; }

    /// <summary>Starts everything. None of the tasks ends before <paramref name="cancel"/> unless something is broken.</summary>
    public IReadOnlyList<Task> Run(CancellationToken cancel)
    {
        List<Task> running = [Mesh.RunAsync(cancel), Links.RunAsync(cancel), WatchEngineAsync(cancel), Custody.Completion.WaitAsync(cancel)];
        if (_peers is not null)
            running.Add(_known.RememberAsync(() => Mesh.Snapshot.Members, cancel));
        if (_peers is not null && _listener is not null)
            running.Add(_peers.AcceptAsync(_listener, ServeAsync, cancel));
        if (_overlay is not null)
            running.Add(_overlay.RunAsync(cancel));
        if (_site is not null)
            running.Add(_site.RunAsync(cancel));
        return running;
    }

    public void Dispose()
    {
        for (var i = _owned.Count - 1; i >= 0; i--)
            _owned[i].Dispose();
    }

    /// <summary>Not before the records are known: containers that none of them claims are removed.</summary>
    private async Task WatchEngineAsync(CancellationToken cancel)
    {
        await _recordsAreKnown.Task.WaitAsync(cancel);
        await _watch.RunAsync(cancel);
    }

    private Task ServeAsync(IPeerConversation conversation, CancellationToken cancel) => conversation.Kind switch
    {
        ConversationKind.Control => Mesh.ServeControlAsync(conversation, cancel),
        ConversationKind.Gossip => Mesh.ServeGossipAsync(conversation, cancel),
        ConversationKind.Transfer => _transfers.ServeAsync(conversation, cancel),
        ConversationKind.Custody => Custody.ServeAsync(conversation, cancel),
        ConversationKind.Site or ConversationKind.Enrolment when _site is not null => _site.ServeAsync(conversation, cancel),
        _ => throw new PeerException($"this node takes no conversation of kind {(int)conversation.Kind}"),
    };

    private IPEndPoint? Locate(NodeId id) => Mesh.AddressOf(id);

    private Task ServeAsync(OverlayMessage message) => message switch
    {
        { Service: OverlayService.Bridge, Priority: <= OverlayPriority.Bulk } => Intake.TakeAsync(message.From.Value, (byte)message.Priority, message.Body),
        _ => throw new PeerException($"nobody here deals with messages for {message.Service}"),
    };

    private NodeId? FindOther(NodeId self, string name)
    {
        var found = Mesh.Snapshot.Members.Where(member => member.Id != self && (member.Id.Name == name || member.Id.Value == name)).ToList();
        return found.Count == 1 ? found[0].Id : null;
    }

    private WorkloadRecord? Find(WorkloadId id) => Mesh.Snapshot.Records.FirstOrDefault(record => record.Id == id);

    private T Own<T>(T part)
        where T : IDisposable
    {
        _owned.Add(part);
        return part;
    }

    /// <summary>A node without a mesh has nobody to talk to.</summary>
    private sealed class NoPeers : IPeerNetwork
    {
        public Task<IPeerConversation> OpenAsync(NodeId peer, ConversationKind kind, CancellationToken cancel) =>
            Task.FromException<IPeerConversation>(new PeerException("this node has no mesh; set Mesh.Listen and Mesh.Site"));
    }
}
