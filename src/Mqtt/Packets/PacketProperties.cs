namespace EdgeFirmware.Mqtt.Packets;

/// <summary>
/// All properties MQTT 5 knows, null where absent. Which of them a packet may carry is <see cref="PropertyRules"/>' business.
/// Filled once by <see cref="PropertyReader"/> or by an initialiser, never changed after it is attached to a packet.
/// </summary>
internal sealed class PacketProperties
{
    /// <summary>Shared by every packet without properties; never written to.</summary>
    public static readonly PacketProperties Empty = new();

    public byte? PayloadFormat { get; set; }
    public uint? MessageExpirySeconds { get; set; }
    public string? ContentType { get; set; }
    public string? ResponseTopic { get; set; }
    public ReadOnlyMemory<byte>? CorrelationData { get; set; }

    /// <summary>More than one only in a PUBLISH from a broker.</summary>
    public uint[]? SubscriptionIds { get; set; }

    public uint? SessionExpirySeconds { get; set; }
    public string? AssignedClientId { get; set; }
    public ushort? ServerKeepAliveSeconds { get; set; }
    public string? AuthenticationMethod { get; set; }
    public ReadOnlyMemory<byte>? AuthenticationData { get; set; }
    public bool? RequestProblemInformation { get; set; }
    public uint? WillDelaySeconds { get; set; }
    public bool? RequestResponseInformation { get; set; }
    public string? ResponseInformation { get; set; }
    public string? ServerReference { get; set; }
    public string? ReasonString { get; set; }
    public ushort? ReceiveMaximum { get; set; }
    public ushort? TopicAliasMaximum { get; set; }
    public ushort? TopicAlias { get; set; }
    public byte? MaximumQoS { get; set; }
    public bool? RetainAvailable { get; set; }
    public IReadOnlyList<UserProperty> UserProperties { get; set; } = [];
    public uint? MaximumPacketBytes { get; set; }
    public bool? WildcardAvailable { get; set; }
    public bool? SubscriptionIdentifierAvailable { get; set; }
    public bool? SharedAvailable { get; set; }
}
