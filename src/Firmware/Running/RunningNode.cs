using System.Net;
using System.Net.Sockets;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Firmware.Api;
using EdgeFirmware.Firmware.Broker;
using EdgeFirmware.Firmware.Configuration;
using EdgeFirmware.Firmware.Control;
using EdgeFirmware.Firmware.Logging;
using EdgeFirmware.Firmware.Operations;
using EdgeFirmware.Firmware.Site;
using EdgeFirmware.Firmware.Users;
using EdgeFirmware.Mesh.Shell;
using EdgeFirmware.Mqtt.Access;
using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Durability;
using EdgeFirmware.Mqtt.Transport.Tls;
using EdgeFirmware.Platform.Memory;
using EdgeFirmware.Platform.Network;
using EdgeFirmware.Platform.Systemd;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Firmware.Running;

/// <summary>Puts the node together and keeps it running. The broker listens before anything slow begins; the rest follows in the order in which
/// it is useful.</summary>
internal sealed class RunningNode(NodeConfiguration configuration, JournalLog journal, TimeProvider time)
{
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan MemoryInterval = TimeSpan.FromSeconds(5);

    /// <summary>Text is given back so many times less often than the heap is looked at.</summary>
    private const int TextInterval = 12;

    /// <summary>After 20 s the code of the start is not needed any more.</summary>
    private const int TextFirst = 4;

    private readonly ILogger _log = journal.For("node");
    private readonly ServiceNotifier _service = new();
    private AdminCredential? _admin;
    private Action? _reload;

    /// <summary>Reads what may be changed while it runs. Thread safe.</summary>
    public void Reload() => _reload?.Invoke();

    /// <summary>Runs until cancelled. Throws <see cref="StorageException"/>, <see cref="SocketException"/> or <see cref="ConfigurationException"/>
    /// when it cannot start, and the bug that ended a part when one does.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        using var directory = DataDirectory.Hold(configuration.DataDirectory);
        var tap = new WorkloadTap();
        using var users = new UserAccess(UserDirectory.Empty);
        UserDesk? desk = null;
        var guard = new LoginGuard(
            new LoginThrottle(new LoginThrottleOptions { Exempt = configuration.LoginExempt }), time, journal.For("mqtt"),
            (address, refusedFor) => desk!.Happened(new NodeEvent("logins-refused", address.ToString(), $"for {refusedFor.TotalSeconds:0} s: too many failed")));
        using var kept = desk = new UserDesk(new UserFile(configuration.DataDirectory), users, guard, journal.For("users"));
        await desk.LoadAsync(cancel);
        _reload = desk.AskReload;
        var access = new NodeAccess(configuration.AllowAnonymous, () => _admin, users);
        var mqttLog = journal.For("mqtt");
        var self = await NodeIdentity.LoadOrCreateAsync(configuration.DataDirectory, configuration.Name, cancel);
        await using var broker = new MqttBroker(new BrokerOptions
        {
            Identity = self.Value,
            Durability = new DurabilityOptions { Directory = Path.Combine(configuration.DataDirectory, "mqtt") },
            Access = new GuardedAccess(access, guard), Tap = tap, IsToldAnew = OfferTopics.IsOne, Logger = mqttLog, TimeProvider = time, Bind = (socket, address) => FreeBind.Bind(socket, address, mqttLog),
        });
        tap.Broker = desk.Broker = broker;
        foreach (var endpoint in configuration.MqttListen)
            Listen(broker, endpoint);
        if (configuration.MqttTls is { IsSite: false } tls)
            ListenWithTls(broker, tls, null, mqttLog);
        File.Delete(configuration.MqttSocket);
        broker.Listen(BrokerEndpoint.Unix(configuration.MqttSocket));
        await LoadAdminAsync(cancel);
        // Clients may knock already; what is published here before would miss the sessions that come back.
        await broker.Restored.WaitAsync(cancel);

        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        using var site = configuration.Mesh is { Site: { } home } mesh ? await NodeSite.OpenAsync(home, self, [.. mesh.Seeds, .. KnownPeers.Load(configuration.DataDirectory)], time) : null;
        if (configuration.MqttTls is { IsSite: true } siteTls)
            ListenWithTls(broker, siteTls, site!.Tls, mqttLog);
        if (configuration.Mesh is { Site: null })
            RunningLog.LabProfile(_log);
        using var parts = new NodeParts(configuration, self, site, broker, tap, desk, journal, time);
        parts.Mesh.Changed += snapshot =>
        {
            parts.Custody.RecordsAre(snapshot.Records);
            tap.Open(parts.Custody);
            access.WorkloadsAre(new WorkloadCredentials(parts.Host, parts.Mesh));
        };

        NodeBridges.Start(broker, configuration.Bridges, parts.CarrierTo);
        if (configuration.SensorNet is { } sensors)
        {
            NodeSensors.Start(broker, sensors, access);
            if (sensors.User is { } user && users.Directory.FindUser(user) is null)
                RunningLog.NoSensorUser(_log, user);
        }

        var control = new ControlServer(parts.Operations, time, journal.For("control"));
        List<Task> running =
        [
            .. parts.Run(stopping.Token),
            new OfferTopics(self, broker, time).RunAsync(parts.Mesh, stopping.Token),
            control.RunAsync(configuration.ControlSocket, stopping.Token),
            broker.Completion.WaitAsync(stopping.Token),
            GiveBackMemoryAsync(stopping.Token),
            desk.RunAsync(stopping.Token),
        ];
        if (configuration.ApiListen is not null || configuration.ApiTlsListen is not null)
            running.Add(LocalApi.RunAsync(parts.Operations, broker, configuration, site?.Tls, () => _admin, guard, journal, time, stopping.Token));
        if (_service.WatchdogInterval is { } interval)
            running.Add(PatWatchdogAsync(parts.Mesh, interval, stopping.Token));
        RunningLog.Started(_log, self, ProductVersion.Text);
        _service.Ready($"{self.Name} runs");
        await KeepAsync(running, stopping, cancel);
    }

    /// <summary>Waits for the end; a part that ends by itself takes the node with it, and systemd starts it again.</summary>
    private async Task KeepAsync(List<Task> running, CancellationTokenSource stopping, CancellationToken asked)
    {
        var first = await Task.WhenAny(running);
        _service.Stopping();
        await stopping.CancelAsync();
        await Task.WhenAny(Task.WhenAll(running), Task.Delay(StopPatience, time, CancellationToken.None));
        foreach (var part in running.Where(part => part.IsFaulted).Prepend(first))
            if (part.IsFaulted)
                await part;
        if (!asked.IsCancellationRequested)
            throw new InvalidOperationException("a part of the node ended by itself");
    }

    /// <param name="site">Whose certificate is shown; <c>null</c>: that of the files.</param>
    private void ListenWithTls(MqttBroker broker, TlsConfiguration tls, SiteTls? site, ILogger log)
    {
        try
        {
            var server = new TlsServer(tls.Options with { Identity = site }, time, log);
            if (site is not null)
                site.TrustChanged += server.JudgeAgain;
            foreach (var endpoint in tls.Listen)
                Listen(broker, endpoint, server);
        }
        catch (CertificateFileException error)
        {
            throw new ConfigurationException([$"Mqtt.Tls: {error.Message}"]);
        }
    }

    private static void Listen(MqttBroker broker, IPEndPoint endpoint, TlsServer? tls = null)
    {
        try
        {
            broker.Listen(new BrokerEndpoint(endpoint, Trusted: false) { Tls = tls });
        }
        catch (SocketException error)
        {
            throw new ConfigurationException([$"Mqtt.{(tls is null ? "" : "Tls.")}Listen: {endpoint}: {error.Message}"]);
        }
    }

    private async Task LoadAdminAsync(CancellationToken cancel)
    {
        var (credential, password) = await AdminCredential.LoadOrCreateAsync(configuration.DataDirectory, cancel);
        _admin = credential;
        if (password is null)
            return;
        // Once, on standard output and never in the log files of later starts.
        Console.WriteLine($"""
            First start: this node's administrator was made. The password is shown only now.
                user      {AdminCredential.UserName}
                password  {password}
            """);
    }

    /// <summary>When the node has settled, and now and then after: what the start or a transfer needed is not kept on a board of 512 MB.</summary>
    private async Task GiveBackMemoryAsync(CancellationToken cancel)
    {
        var memory = new ProcessMemory();
        var heap = new HeapPolicy();
        var started = time.GetTimestamp();
        using var timer = new PeriodicTimer(MemoryInterval, time);
        for (var count = 1; await timer.WaitForNextTickAsync(cancel); count++)
        {
            var now = time.GetElapsedTime(started);
            if (heap.IsDue(ProcessMemory.HeapBytes, Environment.CpuUsage.TotalTime, now))
            {
                ProcessMemory.GiveBackHeap();
                heap.Compacted(ProcessMemory.HeapBytes, now);
            }
            if (count % TextInterval == TextFirst)
                RunningLog.GaveBack(_log, memory.GiveBackText() >> 10);
        }
    }

    /// <summary>Alive means that the mesh loop turns, not only that a timer fires.</summary>
    private async Task PatWatchdogAsync(MeshNode mesh, TimeSpan interval, CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(interval, time);
        while (await timer.WaitForNextTickAsync(cancel))
        {
            await mesh.TurnAsync();
            _service.Alive();
        }
    }
}
