using EdgeFirmware.Mqtt;
using EdgeFirmware.Mqtt.Transport.Tls;

namespace EdgeFirmware.Firmware.Cli.Messages;

/// <summary>What the flags of <c>pub</c> or <c>sub</c> said. Null and zero: not said.</summary>
internal sealed class MessageFlags
{
    /// <summary>Where to connect; all null: the node's own socket.</summary>
    public string? Host { get; set; }
    public int? Port { get; set; }
    public string? UnixPath { get; set; }
    public string? BindAddress { get; set; }
    public string? UserName { get; set; }
    public string? Password { get; set; }

    /// <summary>Speak TLS, as some other flags also ask for.</summary>
    public bool Tls { get; set; }
    public string? AuthorityFile { get; set; }
    public string? CertificateFile { get; set; }
    public string? KeyFile { get; set; }
    public TlsVersion TlsVersion { get; set; } = TlsVersion.Tls12;
    public bool AnyServerName { get; set; }

    public string? ClientId { get; set; }
    public string? ClientIdPrefix { get; set; }
    public ProtocolVersion Version { get; set; } = ProtocolVersion.V5;
    public bool KeepSession { get; set; }
    public uint? SessionExpirySeconds { get; set; }
    public int KeepAliveSeconds { get; set; } = 60;
    public int InFlightMax { get; set; } = 20;

    public List<string> Topics { get; } = [];
    public QoS QoS { get; set; }
    public bool Quiet { get; set; }
    public bool Debug { get; set; }
    public string? WillTopic { get; set; }
    public string WillPayload { get; set; } = string.Empty;
    public QoS WillQoS { get; set; }
    public bool WillRetain { get; set; }
    public PropertyFlags Properties { get; } = new();

    public string? Message { get; set; }
    public string? File { get; set; }
    public bool Lines { get; set; }
    public bool Whole { get; set; }
    public bool Empty { get; set; }
    public bool Retain { get; set; }
    public int Repeat { get; set; } = 1;
    public double RepeatDelaySeconds { get; set; }

    public int? Count { get; set; }
    public bool ExitAfterSubscribe { get; set; }
    public double? WaitSeconds { get; set; }
    public MessageFormat? Format { get; set; }
    public bool Pretty { get; set; }
    public bool NoEndOfLine { get; set; }
    public bool Verbose { get; set; }
    public bool SkipRetained { get; set; }
    public bool RetainedOnly { get; set; }
    public bool RemoveRetained { get; set; }
    public bool RetainAsPublished { get; set; }
    public double PercentPrinted { get; set; } = 100;
    public List<string> FiltersOut { get; } = [];
    public List<string> Unsubscribe { get; } = [];

    public string? Config { get; set; }
    public string? Data { get; set; }
    public bool Json { get; set; }
    public bool Help { get; set; }

    /// <summary>A broker was named, so it is not the node's own socket that is meant.</summary>
    public bool NamesBroker => Host is not null || Port is not null || UnixPath is not null || UserName is not null || BindAddress is not null || Tls;
}
