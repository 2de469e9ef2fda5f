namespace EdgeFirmware.Mqtt.Transport;

/// <summary>Who a <see cref="PacketWriter"/> reports to.</summary>
internal interface IWriterOwner
{
    /// <summary>Within the call that wrote.</summary>
    void OnEncoded(int bytes);

    void OnSent(int bytes);

    /// <summary>They will not be sent: the connection broke.</summary>
    void OnDiscarded(int bytes);

    /// <summary>Everything was sent, after <see cref="PacketWriter.NotifyWhenSent"/> asked for it.</summary>
    void OnDrained();
}
