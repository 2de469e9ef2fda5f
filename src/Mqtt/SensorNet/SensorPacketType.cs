namespace EdgeFirmware.Mqtt.SensorNet;

/// <summary>Message types (MQTT-SN 1.2 section 5.2.2). Forwarder encapsulation (0xFE) is not spoken.</summary>
internal enum SensorPacketType : byte
{
    Advertise = 0x00,
    SearchGateway = 0x01,
    GatewayInfo = 0x02,
    Connect = 0x04,
    ConnAck = 0x05,
    WillTopicRequest = 0x06,
    WillTopic = 0x07,
    WillMessageRequest = 0x08,
    WillMessage = 0x09,
    Register = 0x0A,
    RegAck = 0x0B,
    Publish = 0x0C,
    PubAck = 0x0D,
    PubComp = 0x0E,
    PubRec = 0x0F,
    PubRel = 0x10,
    Subscribe = 0x12,
    SubAck = 0x13,
    Unsubscribe = 0x14,
    UnsubAck = 0x15,
    PingReq = 0x16,
    PingResp = 0x17,
    Disconnect = 0x18,
    WillTopicUpdate = 0x1A,
    WillTopicResponse = 0x1B,
    WillMessageUpdate = 0x1C,
    WillMessageResponse = 0x1D,
}
