using System.Text.Json.Nodes;
using EdgeFirmware.Mqtt;
using EdgeFirmware.Mqtt.Bridge;
using EdgeFirmware.Mqtt.Client;
using EdgeFirmware.Mqtt.Transport.Tls;

namespace EdgeFirmware.Firmware.Configuration;

/// <summary>Reads <c>Mqtt.Bridges</c>. Every fault is named, with the place it is in.</summary>
internal sealed class BridgeReader(string nodeName, List<string> faults)
{
    private const string Path = "Mqtt.Bridges";
    private const int BridgesMax = 32;
    private const int TopicsMax = 256;
    private const int PlainPort = 1883;
    private const int TlsPort = 8883;

    private static readonly string[] BridgeKeys =
        ["Name", "Address", "Node", "Tls", "Version", "ClientId", "User", "PasswordFile", "Topics", "QueuedMessagesMax", "QueuedBytesMax", "MessageAgeSecondsMax", "KeepQoS0"];

    /// <summary>Between nodes of the site the certificates say who is who.</summary>
    private static readonly string[] AddressKeys = ["Address", "Tls", "Version", "ClientId", "User", "PasswordFile"];

    private static readonly string[] TlsKeys = ["AuthorityFile", "CertificateFile", "KeyFile", "ServerName"];

    private static readonly string[] TopicKeys = ["Filter", "Direction", "QoS", "LocalPrefix", "RemotePrefix", "Priority"];

    private string _place = Path;

    public IReadOnlyList<BridgeConfiguration> Read(JsonArray list)
    {
        if (list.Count > BridgesMax)
        {
            faults.Add($"{Path}: more than {BridgesMax}");
            return [];
        }

        var bridges = new List<BridgeConfiguration>();
        for (var i = 0; i < list.Count; i++)
        {
            _place = $"{Path}[{i}]";
            if (list[i] is JsonObject one && OnlyHas(one, BridgeKeys)) bridges.Add(Bridge(one));
            else if (list[i] is not JsonObject) faults.Add($"{_place}: an object is needed");
        }

        foreach (var twice in bridges.GroupBy(bridge => bridge.Name).Where(group => group.Count() > 1)) faults.Add($"{Path}: the name '{twice.Key}' is used twice");
        return bridges;
    }

    private BridgeConfiguration Bridge(JsonObject from)
    {
        var before = faults.Count;
        var name = Text(from, "Name") ?? "";
        var tls = Tls(from["Tls"]);
        var node = Text(from, "Node");
        var (host, port) = node is not null ? ("", 0) : Address(Text(from, "Address"), tls is null ? PlainPort : TlsPort);
        if (node is not null && AddressKeys.FirstOrDefault(from.ContainsKey) is { } odd)
            faults.Add($"{_place}.{odd}: not for a node of the site");
        var bridge = new BridgeConfiguration
        {
            Name = name,
            Node = node,
            Host = host,
            Port = port,
            Tls = tls,
            Version = Version(Text(from, "Version") ?? "5"),
            ClientId = Text(from, "ClientId") ?? $"{nodeName}.{name}",
            User = Text(from, "User"),
            PasswordFile = Text(from, "PasswordFile"),
            Topics = Topics(from["Topics"], node is not null),
            QueuedMessagesMax = (int)Number(from, "QueuedMessagesMax", 100_000, 1, 10_000_000),
            QueuedBytesMax = Number(from, "QueuedBytesMax", 64 << 20, 1, long.MaxValue),
            MessageAgeMax = TimeSpan.FromSeconds(Number(from, "MessageAgeSecondsMax", 0, 0, int.MaxValue)),
            KeepsQoS0 = Switch(from, "KeepQoS0", true),
        };
        if (faults.Count > before) return bridge;
        foreach (var fault in OptionsOf(bridge, null, null).Faults) faults.Add($"{_place}: {fault}");
        return bridge;
    }

    /// <summary>What the broker is given.</summary>
    /// <param name="carrier">What leads to the node; <c>null</c>: it is an address.</param>
    public static BridgeOptions OptionsOf(BridgeConfiguration bridge, string? password, IBridgeCarrier? carrier) => new()
    {
        Name = bridge.Name,
        Topics = bridge.Topics,
        QueuedMessagesMax = bridge.QueuedMessagesMax,
        QueuedBytesMax = bridge.QueuedBytesMax,
        MessageAgeMax = bridge.MessageAgeMax,
        KeepsQoS0 = bridge.KeepsQoS0,
        Carrier = carrier,
        InFlightMax = bridge.Node is null ? BridgeOptions.DialledInFlightMax : BridgeOptions.CarriedInFlightMax,
        Remote = bridge.Node is not null ? null : new MqttClientOptions
        {
            Server = MqttClientOptions.Tcp(bridge.Host, bridge.Port), Version = bridge.Version, ClientId = bridge.ClientId, UserName = bridge.User, Password = password,
            Tls = bridge.Tls,
        },
    };

    private List<BridgeTopic> Topics(JsonNode? node, bool isToNode)
    {
        var topics = new List<BridgeTopic>();
        if (node is not JsonArray { Count: > 0 and <= TopicsMax } list)
        {
            faults.Add($"{_place}.Topics: a list of 1 to {TopicsMax} objects is needed");
            return topics;
        }

        var bridge = _place;
        for (var i = 0; i < list.Count; i++)
        {
            _place = $"{bridge}.Topics[{i}]";
            if (list[i] is JsonObject one && OnlyHas(one, TopicKeys)) topics.Add(Topic(one, isToNode));
            else if (list[i] is not JsonObject) faults.Add($"{_place}: an object is needed");
        }

        _place = bridge;
        return topics;
    }

    private BridgeTopic Topic(JsonObject from, bool isToNode)
    {
        if (!Enum.TryParse<BridgeDirection>(Text(from, "Direction") ?? (isToNode ? "Out" : "Both"), ignoreCase: true, out var direction) || direction is 0 or > BridgeDirection.Both)
            faults.Add($"{_place}.Direction: In, Out or Both");
        if (isToNode && direction != BridgeDirection.Out)
            faults.Add($"{_place}.Direction: only Out goes to a node; what is to come from there is configured there");
        return new BridgeTopic(
            Text(from, "Filter") ?? "", direction, (QoS)Number(from, "QoS", 1, 0, 2), Text(from, "LocalPrefix") ?? "", Text(from, "RemotePrefix") ?? "",
            (int)Number(from, "Priority", 0, -1000, 1000));
    }

    private (string Host, int Port) Address(string? text, int usualPort)
    {
        if (text is not null && Uri.TryCreate($"mqtt://{text}", UriKind.Absolute, out var uri) && uri.Host.Length > 0 && uri is { PathAndQuery: "" or "/", UserInfo: "" })
            return (uri.Host.Trim('[', ']'), uri.Port > 0 ? uri.Port : usualPort);
        faults.Add($"{_place}.Address: '{text}' is no host or host and port, for example broker.example.com:1883");
        return ("", usualPort);
    }

    private TlsClientOptions? Tls(JsonNode? node)
    {
        if (node is null) return null;
        if (node is not JsonObject from)
        {
            faults.Add($"{_place}.Tls: an object is needed, {{}} for the authorities that the system trusts");
            return null;
        }

        var bridge = _place;
        _place = $"{bridge}.Tls";
        var tls = OnlyHas(from, TlsKeys)
            ? new TlsClientOptions
            {
                AuthorityFile = Text(from, "AuthorityFile"), CertificateFile = Text(from, "CertificateFile"), KeyFile = Text(from, "KeyFile"), ServerName = Text(from, "ServerName"),
            }
            : null;
        if (tls is { } given && given.CertificateFile is null != given.KeyFile is null) faults.Add($"{_place}: CertificateFile and KeyFile go together");
        _place = bridge;
        return tls;
    }

    private ProtocolVersion Version(string text)
    {
        if (text is not ("5" or "3.1.1")) faults.Add($"{_place}.Version: \"5\" or \"3.1.1\"");
        return text == "3.1.1" ? ProtocolVersion.V311 : ProtocolVersion.V5;
    }

    private bool OnlyHas(JsonObject from, string[] keys)
    {
        var unknown = ((IDictionary<string, JsonNode?>)from).Keys.FirstOrDefault(key => !keys.Contains(key));
        if (unknown is not null) faults.Add($"{_place}.{unknown}: unknown key; there are {string.Join(", ", keys)}");
        return unknown is null;
    }

    private string? Text(JsonObject from, string key)
    {
        if (from[key] is not { } node) return null;
        if (node is JsonValue value && value.TryGetValue<string>(out var text)) return text;
        faults.Add($"{_place}.{key}: text is needed");
        return null;
    }

    private bool Switch(JsonObject from, string key, bool otherwise)
    {
        if (from[key] is not { } node) return otherwise;
        if (node is JsonValue value && value.TryGetValue<bool>(out var flag)) return flag;
        faults.Add($"{_place}.{key}: true or false is needed");
        return otherwise;
    }

    private long Number(JsonObject from, string key, long otherwise, long least, long most)
    {
        if (from[key] is not { } node) return otherwise;
        if (node is JsonValue value && value.TryGetValue<long>(out var number) && number >= least && number <= most) return number;
        faults.Add($"{_place}.{key}: a whole number from {least} to {most} is needed");
        return otherwise;
    }
}
