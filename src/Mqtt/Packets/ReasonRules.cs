using static EdgeFirmware.Mqtt.ReasonCode;

namespace EdgeFirmware.Mqtt.Packets;

/// <summary>Which reason code may appear where: MQTT 5 table 2-6, and the four return codes of a 3.1.1 SUBACK.</summary>
internal static class ReasonRules
{
    public static bool Allows(PacketType type, ReasonCode reason, ProtocolVersion version) => type switch
    {
        PacketType.SubAck when version == ProtocolVersion.V311 => reason is Success or GrantedQoS1 or GrantedQoS2 or UnspecifiedError,
        PacketType.ConnAck => reason is Success or (>= UnspecifiedError and <= Banned) or BadAuthenticationMethod or TopicNameInvalid
            or PacketTooLarge or QuotaExceeded or (>= PayloadFormatInvalid and <= ServerMoved) or ConnectionRateExceeded,
        PacketType.PubAck or PacketType.PubRec => reason is Success or NoMatchingSubscribers or UnspecifiedError or ImplementationSpecificError
            or NotAuthorized or TopicNameInvalid or PacketIdentifierInUse or QuotaExceeded or PayloadFormatInvalid,
        PacketType.PubRel or PacketType.PubComp => reason is Success or PacketIdentifierNotFound,
        PacketType.SubAck => reason is Success or GrantedQoS1 or GrantedQoS2 or UnspecifiedError or ImplementationSpecificError or NotAuthorized
            or TopicFilterInvalid or PacketIdentifierInUse or QuotaExceeded or SharedSubscriptionsNotSupported
            or SubscriptionIdentifiersNotSupported or WildcardSubscriptionsNotSupported,
        PacketType.UnsubAck => reason is Success or NoSubscriptionExisted or UnspecifiedError or ImplementationSpecificError or NotAuthorized
            or TopicFilterInvalid or PacketIdentifierInUse,
        PacketType.Disconnect => reason is Success or DisconnectWithWill or (>= UnspecifiedError and <= ImplementationSpecificError)
            or NotAuthorized or ServerBusy or (>= ServerShuttingDown and <= TopicNameInvalid)
            or (>= ReceiveMaximumExceeded and <= WildcardSubscriptionsNotSupported),
        PacketType.Auth => reason is Success or ContinueAuthentication or ReAuthenticate,
        _ => true,
    };
}
