using System.Globalization;
using System.Text;
using EdgeFirmware.Firmware.Operations;
using EdgeFirmware.Firmware.Users;
using EdgeFirmware.Mqtt.Bridge;
using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Overlay.Peers;

namespace EdgeFirmware.Firmware.Api;

/// <summary>Prometheus text exposition, format 0.0.4.</summary>
internal static class MetricsText
{
    public static string Write(NodeOperations operations, OverlayFigures? overlay, PeerPathsView[] paths)
    {
        var node = operations.Node();
        var text = new StringBuilder();
        Gauge(text, "edge_level", "Collaboration level this node advertises (0, 1 or 2).", node.Level);
        Gauge(text, "edge_overloaded", "1 while the node looks for a place for its work.", node.Overloaded ? 1 : 0);
        Gauge(text, "edge_uptime_seconds", "Since the node started.", node.UptimeSeconds);
        Gauge(text, "edge_cpu_cores", "Usable cores.", node.Resources.CpuCores);
        Gauge(text, "edge_cpu_load_ratio", "Share of the usable cores in use, 0-1.", node.Resources.CpuLoad);
        Gauge(text, "edge_memory_bytes", "Usable memory.", node.Resources.MemoryBytes);
        Gauge(text, "edge_memory_free_bytes", "Memory free.", node.Resources.MemoryFreeBytes);
        Gauge(text, "edge_disk_free_bytes", "Free space where the data directory is.", node.Resources.DiskFreeBytes);
        Health(text, node.Health);
        Gauge(text, "edge_failure_ratio", "Likelihood that this node fails soon, 0-1.", node.Outlook.Failure);
        Gauge(text, "edge_engine_reachable", "1 while a container engine answers.", node.Engine.Reachable ? 1 : 0);
        Forecast(text, operations.Forecast());
        Broker(text, operations.BrokerStatistics);
        Links(text, operations.Links.List().Links);
        if (overlay is not null)
            OverlayMetrics.Write(text, overlay, paths);
        Bridges(text, operations.Bridges());
        Intake(text, operations.Intake);
        Logins(text, operations.Users.Logins);
        Quotas(text, operations.Users);
        if (node.Mesh is { } mesh)
            Mesh(text, mesh);
        var workloads = operations.Workloads();
        Head(text, "edge_workload_waiting_messages", "gauge", "Messages in this node's custody that the workload has not processed.");
        foreach (var workload in workloads)
            Line(text, $"edge_workload_waiting_messages{{workload=\"{workload.Id}\"}}", workload.WaitingMessages);
        Head(text, "edge_workload_dropped_messages_total", "counter", "Messages at QoS 0 dropped because too much waited for the workload.");
        foreach (var (workload, backlog) in operations.Backlogs)
            Line(text, $"edge_workload_dropped_messages_total{{workload=\"{workload}\"}}", backlog.Dropped);
        Gauge(text, "edge_workloads_here", "Workloads this node owns.", workloads.Count(workload => workload.NodeId == node.Id));
        Gauge(text, "process_resident_memory_bytes", "Memory of this process.", Environment.WorkingSet);
        return text.ToString();
    }

    /// <summary>What the machine does not tell has no line.</summary>
    private static void Health(StringBuilder text, HealthView health)
    {
        if (health.Celsius is { } celsius)
            Gauge(text, "edge_temperature_celsius", "Hottest thermal zone.", celsius);
        if (health.CriticalCelsius is { } critical)
            Gauge(text, "edge_temperature_critical_celsius", "Where that zone's driver cuts the power.", critical);
        Gauge(text, "edge_under_voltage", "1 while the board reports too low a supply.", health.UnderVoltage ? 1 : 0);
        if (health.StorageLifeUsed is { } used)
            Gauge(text, "edge_storage_life_used_ratio", "Share of the eMMC's rated writes that is used, 0-1.", used);
        Gauge(text, "edge_storage_read_only", "1 while the data directory takes no writes.", health.StorageReadOnly ? 1 : 0);
        Counter(text, "edge_storage_errors_total", "Errors of the data directory's device and filesystem.", health.StorageErrors);
        Counter(text, "edge_storage_written_bytes_total", "Written to the data directory's device since boot, by everybody.", health.StorageBytesWritten);
        if (health.StorageWriteMs is { } write)
            Gauge(text, "edge_storage_write_seconds", "Mean duration of the last writes to that device.", write / 1000);
        Counter(text, "edge_oom_kills_total", "Processes killed for want of memory since boot.", health.OomKills);
        Counter(text, "edge_clock_steps_total", "Times the wall clock was set since the firmware started.", health.ClockSteps);
    }

    private static void Forecast(StringBuilder text, NodeForecastView forecast)
    {
        Gauge(text, "edge_overload_foreseen", "1 while an overload is expected within minutes.", forecast.OverloadForeseen ? 1 : 0);
        Gauge(text, "edge_failure_foreseen", "1 while the node expects its own failure.", forecast.FailureForeseen ? 1 : 0);
        Head(text, "edge_exhaustion_seconds", "gauge", "Until a resource runs out by its forecast; absent when it is not seen to.");
        foreach (var resource in forecast.Resources)
            if (resource.ExhaustionSeconds is { } seconds)
                Line(text, $"edge_exhaustion_seconds{{resource=\"{resource.Name}\"}}", seconds);
    }

    private static void Broker(StringBuilder text, BrokerStatistics statistics)
    {
        foreach (var metric in BrokerMetric.All)
        {
            var name = $"edge_{metric.Name.Replace("mqtt.broker.", "mqtt_", StringComparison.Ordinal).Replace('.', '_')}{(metric.Unit == "s" ? "_seconds" : "")}";
            if (metric.IsCounter)
                Counter(text, $"{name}_total", metric.Meaning, metric.Read(statistics));
            else
                Gauge(text, name, metric.Meaning, metric.Read(statistics));
        }
        Head(text, "edge_mqtt_limit_hits_total", "counter", "How often a limit of the broker was met.");
        foreach (var limit in Enum.GetValues<BrokerLimit>())
            Line(text, $"edge_mqtt_limit_hits_total{{limit=\"{limit}\"}}", statistics.Hits(limit));
    }

    private static void Links(StringBuilder text, LinkStateView[] links)
    {
        if (links.Length == 0)
            return;
        Each("edge_link_carrier", "gauge", "1 while the link is switched on and the other end is there.", link => link.Carrier ? 1 : 0);
        Each("edge_link_reach", "gauge", "How far the link leads: 0 nowhere, 1 to the site, 2 to the Internet.", link => link.Reach == "internet" ? 2 : link.Reach == "site" ? 1 : 0);
        Each("edge_link_round_trip_seconds", "gauge", "Smoothed round-trip time of the probes.", link => link.RoundTripMs / 1000 ?? double.NaN);
        Each("edge_link_loss_ratio", "gauge", "Share of the last probes that were not answered, 0-1.", link => link.Loss ?? double.NaN);
        Each("edge_link_probes_total", "counter", "Probes sent over the link.", link => link.Probes);
        Each("edge_link_reach_changes_total", "counter", "How often the reach has changed.", link => link.Changes);

        // What is not known has no line.
        void Each(string name, string type, string meaning, Func<LinkStateView, double> value)
        {
            Head(text, name, type, meaning);
            foreach (var link in links)
                if (value(link) is var known && !double.IsNaN(known))
                    Line(text, $"{name}{{link=\"{link.Name}\",kind=\"{link.Kind}\"}}", known);
        }
    }

    private static void Bridges(StringBuilder text, BridgeView[] bridges)
    {
        if (bridges.Length == 0)
            return;
        Each("edge_bridge_connected", "gauge", "1 while the other broker is connected.", bridge => bridge.Connected ? 1 : 0);
        Each("edge_bridge_queued_messages", "gauge", "Messages that wait for the other broker or are in flight.", bridge => bridge.QueuedMessages);
        Each("edge_bridge_queued_bytes", "gauge", "Memory of those that wait.", bridge => bridge.QueuedBytes);
        Each("edge_bridge_forwarded_messages_total", "counter", "Messages the other broker has taken.", bridge => bridge.Forwarded);
        Each("edge_bridge_received_messages_total", "counter", "Messages taken from the other broker.", bridge => bridge.Received);
        Head(text, "edge_bridge_dropped_messages_total", "counter", "Messages that did not go over, by cause.");
        foreach (var bridge in bridges)
            foreach (var (cause, count) in bridge.Dropped)
                Line(text, $"edge_bridge_dropped_messages_total{{bridge=\"{bridge.Name}\",cause=\"{cause}\"}}", count);

        void Each(string name, string type, string meaning, Func<BridgeView, double> value)
        {
            Head(text, name, type, meaning);
            foreach (var bridge in bridges)
                Line(text, $"{name}{{bridge=\"{bridge.Name}\"}}", value(bridge));
        }
    }

    private static void Intake(StringBuilder text, BridgeIntake intake)
    {
        Head(text, "edge_intake_messages_total", "counter", "Messages that bridges of other nodes brought and that were published here.");
        Line(text, "edge_intake_messages_total", intake.Received);
        Head(text, "edge_intake_dropped_messages_total", "counter", "Those that were not, by cause.");
        foreach (var (cause, count) in intake.Dropped)
            Line(text, $"edge_intake_dropped_messages_total{{cause=\"{cause}\"}}", count);
    }

    private static void Logins(StringBuilder text, LoginsView logins)
    {
        Counter(text, "edge_logins_failed_total", "Wrong names or passwords, at the broker and the API.", logins.Failures);
        Counter(text, "edge_logins_slowed_total", "Attempts that had to wait because others from their address had failed.", logins.Slowed);
        Counter(text, "edge_logins_refused_total", "Attempts that were refused unheard.", logins.Refusals);
        Gauge(text, "edge_login_refused_addresses", "Addresses that are refused now.", logins.Refused.Length);
    }

    /// <summary>Only quotas that were met: there may be thousands of users.</summary>
    private static void Quotas(StringBuilder text, UserDesk users)
    {
        Head(text, "edge_quota_met_total", "counter", "How often a quota of a user or a tenant was met.");
        foreach (var user in users.Users())
            Met("user", user.Name, user.Usage);
        foreach (var tenant in users.Tenants())
            Met("tenant", tenant.Name, tenant.Usage);

        void Met(string whose, string name, QuotaUsageView? usage)
        {
            if (usage is null)
                return;
            foreach (var (quota, count) in usage.Met)
                if (count > 0)
                    Line(text, $"edge_quota_met_total{{{whose}=\"{Escaped(name)}\",quota=\"{quota}\"}}", count);
        }
    }

    private static string Escaped(string label) => label.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);

    private static void Mesh(StringBuilder text, MeshView mesh)
    {
        Head(text, "edge_members", "gauge", "Other nodes by status.");
        Line(text, "edge_members{status=\"alive\"}", mesh.Alive);
        Line(text, "edge_members{status=\"suspect\"}", mesh.Suspect);
        Line(text, "edge_members{status=\"dead\"}", mesh.Dead);
        Counter(text, "edge_gossip_sent_total", "Datagrams sent.", mesh.DatagramsSent);
        Head(text, "edge_gossip_received_total", "counter", "Datagrams received, by outcome.");
        Line(text, "edge_gossip_received_total{outcome=\"genuine\"}", mesh.DatagramsReceived);
        Line(text, "edge_gossip_received_total{outcome=\"forged\"}", mesh.DatagramsForged);
        Line(text, "edge_gossip_received_total{outcome=\"replayed\"}", mesh.DatagramsReplayed);
        Line(text, "edge_gossip_received_total{outcome=\"malformed\"}", mesh.DatagramsMalformed);
        Counter(text, "edge_mesh_control_dropped_total", "Control messages dropped because they cannot be true.", mesh.ControlDropped);
    }

    private static void Gauge(StringBuilder text, string name, string help, double value)
    {
        Head(text, name, "gauge", help);
        Line(text, name, value);
    }

    private static void Counter(StringBuilder text, string name, string help, double value)
    {
        Head(text, name, "counter", help);
        Line(text, name, value);
    }

    internal static void Head(StringBuilder text, string name, string type, string help) =>
        text.Append("# HELP ").Append(name).Append(' ').Append(help).Append("\n# TYPE ").Append(name).Append(' ').Append(type).Append('\n');

    internal static void Line(StringBuilder text, string series, double value) =>
        text.Append(series).Append(' ').Append(value.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
