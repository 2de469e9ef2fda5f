using System.Collections;
using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeFirmware.Contracts;
using EdgeFirmware.Mesh.Membership;
using EdgeFirmware.Overlay.Peers;
using EdgeFirmware.Contracts.Mesh;

namespace EdgeFirmware.Firmware.Configuration;

/// <summary>Turns the JSON file and <c>EDGE__A__B</c> variables into a <see cref="NodeConfiguration"/>, or says everything that is wrong with
/// them at once.</summary>
internal sealed class ConfigurationReader
{
    private const string EnvironmentPrefix = "EDGE__";
    private const int FileBytesMax = 256 * 1024;

    private readonly List<string> _faults = [];
    private readonly Dictionary<string, JsonNode?> _values = [];

    /// <exception cref="ConfigurationException">Names every fault.</exception>
    public static NodeConfiguration ReadFile(string path, IDictionary environment)
    {
        string text;
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > FileBytesMax })
                throw new ConfigurationException([$"{path}: larger than {FileBytesMax >> 10} KiB"]);
            text = File.ReadAllText(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException([$"{path}: {error.Message}"]);
        }
        return Read(text, environment, path);
    }

    public static NodeConfiguration Read(string json, IDictionary environment, string source)
    {
        var reader = new ConfigurationReader();
        reader.TakeFile(json, source);
        reader.TakeEnvironment(environment);
        var configuration = reader.Build();
        return reader._faults.Count == 0 ? configuration : throw new ConfigurationException(reader._faults);
    }

    private void TakeFile(string json, string source)
    {
        JsonNode? root;
        try
        {
            root = JsonNode.Parse(json, documentOptions: new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, MaxDepth = 8 });
        }
        catch (JsonException error)
        {
            throw new ConfigurationException([$"{source}: not JSON: {error.Message}"]);
        }
        if (root is not JsonObject top)
            throw new ConfigurationException([$"{source}: a JSON object is needed"]);
        try
        {
            foreach (var (name, value) in top)
                TakeSectionOrValue(name, value, source);
        }
        catch (ArgumentException error)
        {
            _faults.Add($"{source}: {error.Message}"); // a key given twice
        }
    }

    private void TakeSectionOrValue(string path, JsonNode? value, string source)
    {
        if (path.Length > 0 && value is JsonObject section && Setting.All.Any(setting => setting.Section == path))
            foreach (var (key, inner) in section)
                TakeSectionOrValue($"{path}.{key}", inner, source);
        else
            Take(path, value, source);
    }

    private void Take(string path, JsonNode? value, string source)
    {
        var setting = Setting.All.FirstOrDefault(one => one.Path == path);
        if (setting is null)
        {
            _faults.Add(Setting.All.Any(one => one.Section == path && path.Length > 0)
                ? $"{path}: an object is needed"
                : $"{path}: unknown key in {source}{Suggestion(path)}");
            return;
        }
        var fault = setting.TypeFault(value);
        if (fault.Length > 0)
            _faults.Add(fault);
        else
            _values[path] = value;
    }

    private static string Suggestion(string path)
    {
        var near = Setting.All.FirstOrDefault(one => string.Equals(one.Path, path, StringComparison.OrdinalIgnoreCase) || one.Key == path.Split('.')[^1]);
        return near is null ? "" : $"; did you mean {near.Path}?";
    }

    private void TakeEnvironment(IDictionary environment)
    {
        foreach (var name in environment.Keys.Cast<string>().Where(name => name.StartsWith(EnvironmentPrefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            var value = (string?)environment[name] ?? "";
            var setting = Setting.All.FirstOrDefault(one => name == one.Environment || name.StartsWith(one.Environment + "__", StringComparison.Ordinal));
            if (setting is null)
                _faults.Add($"{name}: no such setting");
            else if (setting.Kind == SettingKind.Switch)
            {
                if (bool.TryParse(value, out var flag))
                    _values[setting.Path] = JsonValue.Create(flag);
                else
                    _faults.Add($"{name}: true or false is needed");
            }
            else if (setting.Kind == SettingKind.Text && name == setting.Environment)
                _values[setting.Path] = JsonValue.Create(value);
            else if (setting.Kind == SettingKind.Number && name == setting.Environment)
            {
                if (int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                    _values[setting.Path] = JsonValue.Create(number);
                else
                    _faults.Add($"{name}: a whole number is needed");
            }
            else if (setting.Kind == SettingKind.ObjectList && name == setting.Environment)
                TakeObjects(setting, name, value);
            else if (setting.Kind == SettingKind.TextList)
                TakeListItem(setting, name, value);
            else
                _faults.Add($"{name}: {setting.Path} is no list");
        }
    }

    /// <summary><c>EDGE__Mqtt__Bridges=[{ ... }]</c>, as in the file.</summary>
    private void TakeObjects(Setting setting, string name, string value)
    {
        try
        {
            Take(setting.Path, JsonNode.Parse(value, documentOptions: new JsonDocumentOptions { MaxDepth = 8 }), name);
        }
        catch (JsonException error)
        {
            _faults.Add($"{name}: not JSON: {error.Message}");
        }
    }

    /// <summary><c>EDGE__Mqtt__Listen=a,b</c> or <c>EDGE__Mqtt__Listen__0=a</c>.</summary>
    private void TakeListItem(Setting setting, string name, string value)
    {
        if (name == setting.Environment)
        {
            _values[setting.Path] = new JsonArray(value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                .Select(item => (JsonNode?)JsonValue.Create(item)).ToArray());
            return;
        }
        if (!int.TryParse(name[(setting.Environment.Length + 2)..], NumberStyles.None, CultureInfo.InvariantCulture, out var index) || index > 63)
        {
            _faults.Add($"{name}: ends with no index from 0 to 63");
            return;
        }
        var list = _values.TryGetValue(setting.Path, out var node) && node is JsonArray array ? array : [];
        while (list.Count <= index)
            list.Add((JsonNode)JsonValue.Create(""));
        list[index] = JsonValue.Create(value);
        _values[setting.Path] = list;
    }

    private NodeConfiguration Build()
    {
        var name = Text("Node.Name") ?? Environment.MachineName.Split('.')[0];
        if (!NodeId.IsName(name))
            _faults.Add($"Node.Name: '{name}' is no device name: letters, digits and inner hyphens, at most 63");
        var directory = Text("DataDirectory") ?? "/var/lib/edge-firmware";
        if (!Path.IsPathFullyQualified(directory))
            _faults.Add($"DataDirectory: '{directory}' is no absolute path");
        else if (directory.Length > 90)
            _faults.Add("DataDirectory: longer than 90 characters, and a unix socket's path holds 108");
        return new NodeConfiguration
        {
            Name = name,
            Location = Location(),
            Labels = Labels(List("Node.Labels") ?? []),
            DataDirectory = directory,
            MqttListen = List("Mqtt.Listen") is { } listen ? Endpoints("Mqtt.Listen", listen) : [new IPEndPoint(IPAddress.Any, 1883)],
            MqttTls = new TlsReader(Text, _faults).Read(List("Mqtt.Tls.Listen") is { } tls ? Endpoints("Mqtt.Tls.Listen", tls) : null, Text("Mesh.Site") is not null),
            SensorNet = SensorNet(),
            Bridges = _values.GetValueOrDefault("Mqtt.Bridges") is JsonArray bridges ? new BridgeReader(name, _faults).Read(bridges) : [],
            AllowAnonymous = _values.GetValueOrDefault("Mqtt.AllowAnonymous")?.GetValue<bool>() ?? false,
            LoginExempt = Networks("Mqtt.LoginExempt", List("Mqtt.LoginExempt") ?? []),
            ApiListen = Text("Api.Listen") is { } api ? Endpoint("Api.Listen", api) : null,
            ApiTlsListen = ApiTls(),
            Mesh = Mesh(),
            Links = new LinksReader(_faults).Read(Endpoints("Links.Targets", List("Links.Targets") ?? []), List("Links.Names") ?? [], List("Links.Kinds") ?? []),
            EngineSocket = Text("Engine.Socket") ?? "/run/docker.sock",
        };
    }

    private SensorNetConfiguration? SensorNet()
    {
        const string Path = "Mqtt.SensorNet";
        var reader = new SensorNetReader(_faults);
        var listen = List($"{Path}.Listen") is { } addresses ? Endpoints($"{Path}.Listen", addresses) : null;
        var gatewayId = _values.GetValueOrDefault($"{Path}.GatewayId")?.GetValue<int>();
        var allowsAnonymous = _values.GetValueOrDefault("Mqtt.AllowAnonymous")?.GetValue<bool>() ?? false;
        return reader.Read(listen, Text($"{Path}.User"), allowsAnonymous, List($"{Path}.PredefinedTopics"), gatewayId);
    }

    private IPEndPoint? ApiTls()
    {
        if (Text("Api.Tls.Listen") is not { } listen)
            return null;
        if (Text("Mesh.Site") is null)
            _faults.Add("Api.Tls.Listen: Mesh.Site is missing, whose certificate the API is to show");
        return Endpoint("Api.Tls.Listen", listen);
    }

    private MeshConfiguration? Mesh()
    {
        var listen = Text("Mesh.Listen");
        var seeds = List("Mesh.Seeds") ?? [];
        var key = Text("Mesh.SiteKey");
        var site = Text("Mesh.Site");
        if (listen is null && key is null && site is null && seeds.Count == 0)
            return null;
        if (listen is null)
            _faults.Add("Mesh.Listen: missing; other nodes need an address of this one, for example 10.1.0.1:7900");
        if (key is null && site is null)
            _faults.Add("Mesh.Site: missing; the directory that 'edge-firmware site join' has made, or Mesh.SiteKey for a lab");
        if (key is not null && site is not null)
            _faults.Add("Mesh.Site: Mesh.SiteKey is given too; a node is of a site with certificates or of a lab with one key");
        if (site is not null && !Path.IsPathFullyQualified(site))
            _faults.Add($"Mesh.Site: '{site}' is no absolute path");
        var endpoint = listen is null ? null : Endpoint("Mesh.Listen", listen);
        if (endpoint is not null && (endpoint.Address.Equals(IPAddress.Any) || endpoint.Address.Equals(IPAddress.IPv6Any)))
            _faults.Add("Mesh.Listen: the address others reach this node at is needed, not a wildcard");
        return new MeshConfiguration(endpoint ?? new IPEndPoint(IPAddress.Loopback, 0), Endpoints("Mesh.Seeds", seeds), SiteKey(key), site)
        {
            OverlayPort = OverlayPort(endpoint), Relays = _values.GetValueOrDefault("Overlay.Relay")?.GetValue<bool>() ?? true,
            Profile = Profile(Text("Mesh.Profile")), Balances = _values.GetValueOrDefault("Mesh.Balance")?.GetValue<bool>() ?? true,
        };
    }

    /// <summary>Several nodes of one machine would share the usual port.</summary>
    private int? OverlayPort(IPEndPoint? listen)
    {
        if (_values.GetValueOrDefault("Overlay.Port")?.GetValue<int>() is not { } port)
            return listen is null || IPAddress.IsLoopback(listen.Address) ? null : OverlayOptions.PortDefault;
        if (port is < 0 or > ushort.MaxValue)
            _faults.Add($"Overlay.Port: {port} is no UDP port");
        return port == 0 ? null : port;
    }

    private MembershipProfile Profile(string? name)
    {
        if (name is not (null or "Lan" or "LowPower"))
            _faults.Add($"Mesh.Profile: '{name}' is neither Lan nor LowPower");
        return name == "LowPower" ? MembershipProfile.LowPower : MembershipProfile.Lan;
    }

    private byte[]? SiteKey(string? text)
    {
        var key = new byte[33];
        if (text is null)
            return null;
        if (!Convert.TryFromBase64String(text, key, out var length) || length != 32)
            _faults.Add("Mesh.SiteKey: not base64 of 32 bytes");
        return key[..32];
    }

    private (double, double)? Location()
    {
        if (Text("Node.Location") is not { } text)
            return null;
        var parts = text.Split(',', StringSplitOptions.TrimEntries);
        if (parts.Length == 2
            && double.TryParse(parts[0], NumberStyles.Float, CultureInfo.InvariantCulture, out var latitude) && Math.Abs(latitude) <= 90
            && double.TryParse(parts[1], NumberStyles.Float, CultureInfo.InvariantCulture, out var longitude) && Math.Abs(longitude) <= 180)
            return (latitude, longitude);
        _faults.Add($"Node.Location: '{text}' is no latitude,longitude in degrees, for example 46.0679,11.1211");
        return null;
    }

    private List<string> Labels(List<string> texts)
    {
        foreach (var text in texts)
            if (!Offer.IsLabel(text))
                _faults.Add($"Node.Labels: '{text}' is no label: 1 to {Offer.NameLengthMax} of a-z, 0-9 and . _ - =, for example roof or floor=2");
        texts.Sort(StringComparer.Ordinal);
        for (var i = 1; i < texts.Count; i++)
            if (texts[i] == texts[i - 1])
                _faults.Add($"Node.Labels: '{texts[i]}' is given twice");
        if (texts.Count > Offer.LabelsMax)
            _faults.Add($"Node.Labels: {texts.Count} labels, and others are told {Offer.LabelsMax} at most");
        return texts;
    }

    private string? Text(string path) => _values.GetValueOrDefault(path)?.GetValue<string>() is { Length: > 0 } text ? text : null;

    private List<string>? List(string path) => (_values.GetValueOrDefault(path) as JsonArray)?.Select(item => item!.GetValue<string>()).ToList();

    // A loop, not Select: LINQ over structs is what makes a Native AOT binary large.
    private List<IPNetwork> Networks(string path, IReadOnlyList<string> texts)
    {
        var networks = new List<IPNetwork>();
        foreach (var text in texts)
            if (Network(path, text) is { } network)
                networks.Add(network);
        return networks;
    }

    private IPNetwork? Network(string path, string text)
    {
        if (IPNetwork.TryParse(text.Contains('/', StringComparison.Ordinal) ? text : $"{text}/{(text.Contains(':', StringComparison.Ordinal) ? 128 : 32)}", out var network))
            return network;
        _faults.Add($"{path}: '{text}' is no network, for example 192.168.7.0/24 or fd00::/64");
        return null;
    }

    private List<IPEndPoint> Endpoints(string path, IReadOnlyList<string> texts) =>
        texts.Select(text => Endpoint(path, text)).OfType<IPEndPoint>().ToList();

    private IPEndPoint? Endpoint(string path, string text)
    {
        // IPEndPoint.Parse takes an address without a port for port 0, and "1883" for an address.
        if (text.LastIndexOf(':') is > 0 and var colon && text[colon - 1] is not ':' && text.Contains('.', StringComparison.Ordinal) | text.Contains(']', StringComparison.Ordinal)
            && IPEndPoint.TryParse(text, out var endpoint) && endpoint.Port > 0)
            return endpoint;
        _faults.Add($"{path}: '{text}' is no address and port, for example 10.1.0.1:7900 or [fd00::1]:7900");
        return null;
    }
}
