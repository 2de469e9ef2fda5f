using static EdgeFirmware.Mqtt.Packets.PropertyId;

namespace EdgeFirmware.Mqtt.Packets;

/// <summary>Which property may appear where: the last column of MQTT 5 table 2-4, one bit for each identifier.</summary>
internal static class PropertyRules
{
    public static readonly ulong Will =
        Mask(PayloadFormat, MessageExpiry, ContentType, ResponseTopic, CorrelationData, WillDelay, PropertyId.UserProperty);

    private static readonly ulong Connect = Mask(SessionExpiry, AuthenticationMethod, AuthenticationData, RequestProblemInformation,
        RequestResponseInformation, ReceiveMaximum, TopicAliasMaximum, PropertyId.UserProperty, MaximumPacketSize);

    private static readonly ulong ConnAck = Mask(SessionExpiry, AssignedClientId, ServerKeepAlive, AuthenticationMethod, AuthenticationData,
        ResponseInformation, ServerReference, ReasonString, ReceiveMaximum, TopicAliasMaximum, MaximumQoS, RetainAvailable, PropertyId.UserProperty,
        MaximumPacketSize, WildcardAvailable, SubscriptionIdentifierAvailable, SharedAvailable);

    private static readonly ulong Publish = Mask(PayloadFormat, MessageExpiry, ContentType, ResponseTopic, CorrelationData,
        SubscriptionIdentifier, TopicAlias, PropertyId.UserProperty);

    private static readonly ulong Acknowledgement = Mask(ReasonString, PropertyId.UserProperty);
    private static readonly ulong Subscribe = Mask(SubscriptionIdentifier, PropertyId.UserProperty);
    private static readonly ulong Unsubscribe = Mask(PropertyId.UserProperty);
    private static readonly ulong Disconnect = Mask(SessionExpiry, ServerReference, ReasonString, PropertyId.UserProperty);
    private static readonly ulong Auth = Mask(AuthenticationMethod, AuthenticationData, ReasonString, PropertyId.UserProperty);

    /// <summary>The set of properties allowed in a packet.</summary>
    public static ulong For(PacketType type) => type switch
    {
        PacketType.Connect => Connect,
        PacketType.ConnAck => ConnAck,
        PacketType.Publish => Publish,
        PacketType.Subscribe => Subscribe,
        PacketType.Unsubscribe => Unsubscribe,
        PacketType.Disconnect => Disconnect,
        PacketType.Auth => Auth,
        PacketType.PingReq or PacketType.PingResp => 0,
        _ => Acknowledgement,
    };

    public static ulong Bit(PropertyId id) => 1UL << (int)id;

    private static ulong Mask(params ReadOnlySpan<PropertyId> ids)
    {
        ulong mask = 0;
        foreach (var id in ids) mask |= Bit(id);
        return mask;
    }
}
