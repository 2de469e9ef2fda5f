using System.Text.Json.Nodes;

namespace EdgeFirmware.Firmware.Configuration;

internal enum SettingKind
{
    Text,
    Switch,
    Number,
    TextList,

    /// <summary>A list of objects, whose keys a reader of its own knows.</summary>
    ObjectList,
}

/// <summary>One configuration key: its type, meaning, example and default in one place.</summary>
internal sealed record Setting(string Section, string Key, SettingKind Kind, string Meaning, string Example, string Default = "")
{
    public static readonly IReadOnlyList<Setting> All =
    [
        new("Node", "Name", SettingKind.Text, "name of the device, a DNS label", "gate-1", "the host name"),
        new("Node", "Location", SettingKind.Text, "latitude,longitude in degrees", "46.0679,11.1211"),
        new("Node", "Labels", SettingKind.TextList, "words for what is here, which workloads can ask for", "roof", "none"),
        new("", "DataDirectory", SettingKind.Text, "where everything is kept", "/var/lib/edge-firmware", "/var/lib/edge-firmware"),
        new("Mqtt", "Listen", SettingKind.TextList, "addresses of the broker", "0.0.0.0:1883", "0.0.0.0:1883"),
        new("Mqtt", "AllowAnonymous", SettingKind.Switch, "clients without a password may connect", "true", "false"),
        new("Mqtt", "LoginExempt", SettingKind.TextList, "networks whose failed logins are not counted", "192.168.7.0/24"),
        new("Mqtt", "Bridges", SettingKind.ObjectList, "other brokers to forward to and from", """{ "Name": "cloud", "Address": "broker.example.com", "Topics": [{ "Filter": "data/#", "Direction": "Out" }] }""", "none"),
        new("Mqtt.SensorNet", "Listen", SettingKind.TextList, "addresses for sensors that speak MQTT-SN 1.2, UDP", "[fe80::1%wpan0]:1884", "none"),
        new("Mqtt.SensorNet", "User", SettingKind.Text, "the user whose rights and quotas the sensors have", "sensors"),
        new("Mqtt.SensorNet", "PredefinedTopics", SettingKind.TextList, "topics that sensors name by a number they were made with", "1=sensors/a", "none"),
        new("Mqtt.SensorNet", "GatewayId", SettingKind.Number, "by which sensors tell gateways apart, from 1 to 255", "2", "1"),
        new("Mqtt.Tls", "Listen", SettingKind.TextList, "addresses of the broker for MQTT over TLS", "0.0.0.0:8883", "none"),
        new("Mqtt.Tls", "Identity", SettingKind.Text, "whose certificate the broker shows: Files, or Site for that of Mesh.Site", "Site", "Files"),
        new("Mqtt.Tls", "Certificate", SettingKind.Text, "PEM file with the broker's certificate and those between it and the root", "/etc/edge-firmware/tls/broker.pem"),
        new("Mqtt.Tls", "Key", SettingKind.Text, "PEM file with its private key", "/etc/edge-firmware/tls/broker.key"),
        new("Mqtt.Tls", "ClientAuthority", SettingKind.Text, "PEM file with the authorities of clients' certificates", "/etc/edge-firmware/tls/clients.pem"),
        new("Mqtt.Tls", "ClientCertificates", SettingKind.Text, "whether clients show a certificate: No, Optional or Required", "Optional", "No"),
        new("Mqtt.Tls", "MinimumVersion", SettingKind.Text, "oldest version of TLS: 1.2 or 1.3", "1.3", "1.2"),
        new("Api", "Listen", SettingKind.Text, "address of the HTTP API", "127.0.0.1:8080", "no API"),
        new("Api.Tls", "Listen", SettingKind.Text, "address of the HTTP API over TLS, with the certificate of Mesh.Site", "10.1.0.1:8443", "none"),
        new("Mesh", "Listen", SettingKind.Text, "this node's address towards other nodes, UDP and TCP", "10.1.0.1:7900", "no mesh"),
        new("Mesh", "Seeds", SettingKind.TextList, "addresses of some other nodes", "10.1.0.2:7900", "found by multicast"),
        new("Mesh", "Profile", SettingKind.Text, "kind of network: Lan, or LowPower for IEEE 802.15.4 and the like", "LowPower", "Lan"),
        new("Mesh", "SiteKey", SettingKind.Text, "base64 of the 32 bytes that all nodes of a lab share", "base64 of 32 bytes"),
        new("Mesh", "Site", SettingKind.Text, "directory of this node's certificate and keys", "/var/lib/edge-firmware/site"),
        new("Mesh", "Balance", SettingKind.Switch, "move workloads by itself to even out the site", "false", "true"),
        new("Links", "Targets", SettingKind.TextList, "addresses on the Internet that take TCP connections; one that answers proves a link leads there", "203.0.113.1:443", "none: judged by the gateway"),
        new("Links", "Names", SettingKind.TextList, "interfaces to watch", "eth0", "all but virtual ones that lead nowhere"),
        new("Links", "Kinds", SettingKind.TextList, "what an interface is, where the kernel cannot know: ethernet, wifi, cellular, 6lowpan or other", "usb0=cellular", "as the kernel says"),
        new("Overlay", "Port", SettingKind.Number, "UDP port by which nodes reach each other over any link, the same on all; 0: not at all", "61616", "61616"),
        new("Overlay", "Relay", SettingKind.Switch, "pass on what nodes say to each other that no link of theirs brings together", "false", "true"),
        new("Engine", "Socket", SettingKind.Text, "unix socket of the container engine", "/run/docker.sock", "/run/docker.sock"),
    ];

    public string Path => Section.Length == 0 ? Key : $"{Section}.{Key}";

    public string Environment => "EDGE__" + Path.Replace(".", "__", StringComparison.Ordinal);

    /// <summary>What is wrong with a value's JSON type; empty when it fits.</summary>
    public string TypeFault(JsonNode? value) => Kind switch
    {
        SettingKind.Text when value is JsonValue text && text.TryGetValue<string>(out _) => "",
        SettingKind.Switch when value is JsonValue flag && flag.TryGetValue<bool>(out _) => "",
        SettingKind.Number when value is JsonValue number && number.TryGetValue<int>(out _) => "",
        SettingKind.TextList when value is JsonArray list && list.All(item => item is JsonValue one && one.TryGetValue<string>(out _)) => "",
        SettingKind.ObjectList when value is JsonArray => "",
        SettingKind.ObjectList => $"{Path}: a list of objects is needed, for example [{Example}] ({Meaning})",
        SettingKind.Text => $"{Path}: text is needed, for example \"{Example}\" ({Meaning})",
        SettingKind.Switch => $"{Path}: true or false is needed ({Meaning})",
        SettingKind.Number => $"{Path}: a whole number is needed, for example {Example} ({Meaning})",
        _ => $"{Path}: a list of texts is needed, for example [\"{Example}\"] ({Meaning})",
    };
}
