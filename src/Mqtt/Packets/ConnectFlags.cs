namespace EdgeFirmware.Mqtt.Packets;

/// <summary>The connect flags byte (MQTT 5 section 3.1.2.3).</summary>
internal readonly record struct ConnectFlags(byte Value)
{
    public bool CleanStart => (Value & 0x02) != 0;
    public bool HasWill => (Value & 0x04) != 0;
    public QoS WillQoS => (QoS)((Value >> 3) & 3);
    public bool WillRetain => (Value & 0x20) != 0;
    public bool HasPassword => (Value & 0x40) != 0;
    public bool HasUserName => (Value & 0x80) != 0;

    public static ConnectFlags Of(ConnectPacket packet)
    {
        var value = packet.CleanStart ? 0x02 : 0;
        if (packet.Will is { } will) value |= 0x04 | ((int)will.Message.QoS << 3) | (will.Message.Retain ? 0x20 : 0);
        if (packet.Password is not null) value |= 0x40;
        if (packet.UserName is not null) value |= 0x80;
        return new ConnectFlags((byte)value);
    }

    /// <summary>[MQTT-3.1.2-3], [MQTT-3.1.2-11], [MQTT-3.1.2-13]; 3.1.1 also forbids a password without a user name [MQTT-3.1.2-22].</summary>
    public bool AreValid(ProtocolVersion version) =>
        (Value & 1) == 0
        && (int)WillQoS != 3
        && (HasWill || (Value & 0x38) == 0)
        && (version == ProtocolVersion.V5 || HasUserName || !HasPassword);
}
