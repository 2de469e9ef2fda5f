using System.Globalization;
using EdgeFirmware.Mqtt;
using EdgeFirmware.Mqtt.Topics;
using EdgeFirmware.Mqtt.Transport.Tls;
using static EdgeFirmware.Firmware.Cli.Messages.FlagUse;

namespace EdgeFirmware.Firmware.Cli.Messages;

/// <summary>
/// The flags of mosquitto_pub and mosquitto_sub 2.0, as their manual pages have them, and three of ours. <c>-h</c> is the host here, so help
/// is <c>--help</c> only.
/// </summary>
internal static class FlagTable
{
    /// <summary>What a timer takes, about 24 days.</summary>
    private const int WaitSecondsMax = int.MaxValue / 1000;

    public static readonly Flag[] All =
    [
        new(Both, ["-t", "--topic"], "TOPIC", "topic; filter of a subscription, may be repeated then", (flags, text) => flags.Topics.Add(text)),
        new(Both, ["-q", "--qos"], "QOS", "0, 1 or 2; 0 when not given", (flags, text) => flags.QoS = ReadQoS(text)),

        new(Publish, ["-m", "--message"], "TEXT", "payload", (flags, text) => flags.Message = text),
        new(Publish, ["-f", "--file"], "FILE", "file with the payload", (flags, text) => flags.File = text),
        new(Publish, ["-l", "--stdin-line"], null, "a message for each line of standard input", (flags, _) => flags.Lines = true),
        new(Publish, ["-s", "--stdin-file"], null, "all of standard input as one message", (flags, _) => flags.Whole = true),
        new(Publish, ["-n", "--null-message"], null, "an empty payload; with -r it clears a retained message", (flags, _) => flags.Empty = true),
        new(Publish, ["-r", "--retain"], null, "have the broker keep it for later subscribers", (flags, _) => flags.Retain = true),
        new(Publish, ["--repeat"], "COUNT", "publish that often", (flags, text) => flags.Repeat = Whole(text, 1, int.MaxValue)),
        new(Publish, ["--repeat-delay"], "SECONDS", "wait between the repetitions", (flags, text) => flags.RepeatDelaySeconds = Seconds(text)),
        new(Publish, ["-M", "--max-inflight"], "COUNT", "messages ahead of their acknowledgement; 20 when not given",
            (flags, text) => flags.InFlightMax = Whole(text, 1, ushort.MaxValue)),

        new(Subscribe, ["-C", "--count"], "COUNT", "end after this many messages", (flags, text) => flags.Count = Whole(text, 1, int.MaxValue)),
        new(Subscribe, ["-E"], null, "end once the broker has acknowledged the subscriptions", (flags, _) => flags.ExitAfterSubscribe = true),
        new(Subscribe, ["-W", "--wait"], "SECONDS", "end after this many seconds, with code 27", (flags, text) => flags.WaitSeconds = Seconds(text)),
        new(Subscribe, ["-v", "--verbose"], null, "print the topic before the payload", (flags, _) => flags.Verbose = true),
        new(Subscribe, ["-F"], "FORMAT", "print in this format: %t %p %q %r %l %j ..., @H:@M:@S, \\n",
            (flags, text) => flags.Format = MessageFormat.Parse(text)),
        new(Subscribe, ["--pretty"], null, "JSON of %j and %J on several lines", (flags, _) => flags.Pretty = true),
        new(Subscribe, ["-N"], null, "no end of line behind a message", (flags, _) => flags.NoEndOfLine = true),
        new(Subscribe, ["-T", "--filter-out"], "FILTER", "do not print what matches; may be repeated",
            (flags, text) => flags.FiltersOut.Add(Filter(text))),
        new(Subscribe, ["-R"], null, "do not print retained messages", (flags, _) => flags.SkipRetained = true),
        new(Subscribe, ["--retained-only"], null, "end at the first message that is not retained", (flags, _) => flags.RetainedOnly = true),
        new(Subscribe, ["--remove-retained"], null, "clear each retained message that comes", (flags, _) => flags.RemoveRetained = true),
        new(Subscribe, ["--retain-as-published"], null, "keep the publisher's retain flag", (flags, _) => flags.RetainAsPublished = true),
        new(Subscribe, ["--random-filter"], "PERCENT", "print that share of the messages",
            (flags, text) => flags.PercentPrinted = Number(text, 0.1, 100)),
        new(Subscribe, ["-U", "--unsubscribe"], "FILTER", "unsubscribe after subscribing; may be repeated",
            (flags, text) => flags.Unsubscribe.Add(Filter(text))),

        new(Both, ["-h", "--host"], "HOST", "a broker instead of the node's own; localhost with one of -p -u -A", (flags, text) => flags.Host = text),
        new(Both, ["-p", "--port"], "PORT", "its port; 1883, with TLS 8883, when not given",
            (flags, text) => flags.Port = Whole(text, 1, ushort.MaxValue)),
        new(Both, ["--unix"], "PATH", "its unix socket", (flags, text) => flags.UnixPath = text),
        new(Both, ["-L", "--url"], "URL", "mqtt[s]://[user[:password]@]host[:port]/topic", BrokerUrl.Apply),
        new(Both, ["-A"], "ADDRESS", "connect from this address of this machine", (flags, text) => flags.BindAddress = text),
        new(Both, ["-u", "--username"], "NAME", "user name", (flags, text) => flags.UserName = text),
        new(Both, ["-P", "--pw"], "PASSWORD", "password", (flags, text) => flags.Password = text),
        new(Both, ["--cafile"], "FILE", "TLS, with the authority's certificate as PEM",
            (flags, text) => (flags.Tls, flags.AuthorityFile) = (true, text)),
        new(Both, ["--tls-use-os-certs"], null, "TLS, with the authorities that the system trusts", (flags, _) => flags.Tls = true),
        new(Both, ["--cert"], "FILE", "the client's own certificate as PEM", (flags, text) => flags.CertificateFile = text),
        new(Both, ["--key"], "FILE", "its private key, not encrypted", (flags, text) => flags.KeyFile = text),
        new(Both, ["--tls-version"], "VERSION", "tlsv1.2 or tlsv1.3, at least; tlsv1.2 when not given",
            (flags, text) => flags.TlsVersion = ReadTls(text)),
        new(Both, ["--insecure"], null, "take the broker's certificate whatever name it is for", (flags, _) => flags.AnyServerName = true),
        new(Both, ["-V", "--protocol-version"], "VERSION", "mqttv5 or mqttv311; mqttv5 when not given",
            (flags, text) => flags.Version = ReadVersion(text)),
        new(Both, ["-i", "--id"], "ID", "client id; assigned by the broker when not given", (flags, text) => flags.ClientId = text),
        new(Both, ["-I", "--id-prefix"], "PREFIX", "client id of this and the process id", (flags, text) => flags.ClientIdPrefix = text),
        new(Both, ["-c", "--disable-clean-session"], null, "go on with the session of this client id", (flags, _) => flags.KeepSession = true),
        new(Both, ["-x", "--session-expiry-interval"], "SECONDS", "how long the session stays; -1: for ever, also the default with -c",
            (flags, text) => flags.SessionExpirySeconds = Expiry(text)),
        new(Both, ["-k", "--keepalive"], "SECONDS", "keep-alive; 60 when not given, 0: none",
            (flags, text) => flags.KeepAliveSeconds = Whole(text, 0, ushort.MaxValue)),
        new(Both, ["--will-topic"], "TOPIC", "have a will published when the connection is lost", (flags, text) => flags.WillTopic = text),
        new(Both, ["--will-payload"], "TEXT", "its payload", (flags, text) => flags.WillPayload = text),
        new(Both, ["--will-qos"], "QOS", "its QoS", (flags, text) => flags.WillQoS = ReadQoS(text)),
        new(Both, ["--will-retain"], null, "have it retained", (flags, _) => flags.WillRetain = true),
        new(Both, ["-D", "--property"], "PACKET NAME VALUE", "a property of connect, publish, will or subscribe; user-property has two values",
            (_, _) => throw new InvalidOperationException("read by FlagReader")),
        new(Both, ["--nodelay"], null, "send at once, as is always done", (_, _) => { }),
        new(Both, ["-d", "--debug"], null, "say on standard error what is done", (flags, _) => flags.Debug = true),
        new(Both, ["--quiet"], null, "no error messages", (flags, _) => flags.Quiet = true),

        new(Both, ["--config"], "FILE", "configuration file of the node", (flags, text) => flags.Config = text),
        new(Both, ["--data"], "DIR", "data directory of the node", (flags, text) => flags.Data = text),
        new(Both, ["--json"], null, "print JSON, as the HTTP API does", (flags, _) => flags.Json = true),
        new(Both, ["--help"], null, "show this", (flags, _) => flags.Help = true),
    ];

    /// <summary>Known to mosquitto's clients and not to us: better refused by name than taken for a mistake in typing.</summary>
    public static readonly string[] NotOffered =
        ["-S", "--psk", "--psk-identity", "--proxy", "--tls-engine", "--tls-engine-kpass-sha1", "--keyform", "--ciphers", "--tls-alpn", "--capath"];

    private static QoS ReadQoS(string text) => text is "0" or "1" or "2" ? (QoS)(text[0] - '0') : throw new FormatException("a QoS is 0, 1 or 2");

    private static ProtocolVersion ReadVersion(string text) => text switch
    {
        "5" or "mqttv5" => ProtocolVersion.V5,
        "311" or "mqttv311" => ProtocolVersion.V311,
        _ => throw new FormatException("a version is mqttv5 (5) or mqttv311 (311)"),
    };

    private static TlsVersion ReadTls(string text) => text switch
    {
        "tlsv1.2" => TlsVersion.Tls12,
        "tlsv1.3" => TlsVersion.Tls13,
        _ => throw new FormatException("a version of TLS is tlsv1.2 or tlsv1.3"),
    };

    private static string Filter(string text) => TopicName.IsValidFilter(text) ? text : throw new FormatException($"'{text}' is no topic filter");

    private static uint Expiry(string text) =>
        text is "-1" or "∞" ? uint.MaxValue
        : uint.TryParse(text, NumberStyles.None, null, out var seconds) ? seconds
        : throw new FormatException("an expiry is -1 or 0 to 4294967295 seconds");

    private static int Whole(string text, int least, int most) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, null, out var number) && number >= least && number <= most
            ? number
            : throw new FormatException($"'{text}' is not between {least} and {most}");

    private static double Seconds(string text) => Number(text, 0, WaitSecondsMax);

    private static double Number(string text, double least, double most) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw new FormatException($"'{text}' is not between {least} and {most}");
}
